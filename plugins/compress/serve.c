/* SPDX-License-Identifier: MIT */
/* The middleware. */
#include "backplane/status.h"
#include "backplane/wait.h"
#include "coder.h"
#include "compress.h"
#include "tag.h"

static const bp_str default_types[] = {
    BP_STR_INIT("text/*"),
    BP_STR_INIT("application/json"),
    BP_STR_INIT("application/problem+json"),
    BP_STR_INIT("application/openapi+json"),
    BP_STR_INIT("application/openmetrics-text"),
    BP_STR_INIT("application/javascript"),
    BP_STR_INIT("application/xml"),
    BP_STR_INIT("image/svg+xml"),
};

static bool type_fits(const struct compress_stage *stage, bp_str type)
{
    const bp_str *types = stage->types.len > 0 ? stage->types.ptr : default_types;
    size_t len = stage->types.len > 0 ? stage->types.len : sizeof(default_types) / sizeof(default_types[0]);
    const char *semicolon = type.len > 0 ? memchr(type.ptr, ';', type.len) : NULL;
    bp_str media = bp_str_trim(bp_str_n(type.ptr, semicolon ? (size_t)(semicolon - type.ptr) : type.len));
    for (size_t i = 0; i < len; i++) {
        bool prefix = types[i].len > 2 && types[i].ptr[types[i].len - 1] == '*';
        size_t size = prefix ? types[i].len - 1 : types[i].len;
        if ((prefix ? media.len >= size : media.len == size) &&
            bp_str_eq_nocase(bp_str_n(media.ptr, size), bp_str_n(types[i].ptr, size)))
            return true;
    }
    return false;
}

static bool has_directive(bp_str list, bp_str directive)
{
    bp_str item;
    while (bp_str_next(&list, ',', &item))
        if (bp_str_eq_nocase(bp_str_trim(item), directive))
            return true;
    return false;
}

/* The value of the first field of that name set behind this stage, also in blocks. */
static bp_str reply_field(const struct bp_request *rq, bp_str wanted)
{
    size_t at = 0;
    bp_str name, value;
    while (bp_reply_header_next(rq, &at, &name, &value)) {
        if (name.ptr && bp_str_eq_nocase(name, wanted))
            return value;
        while (!name.ptr && value.len > 0) {
            const char *end = memchr(value.ptr, '\n', value.len);
            size_t len = end ? (size_t)(end - value.ptr) + 1 : value.len;
            if (len > wanted.len + 1 && value.ptr[wanted.len] == ':' &&
                bp_str_eq_nocase(bp_str_n(value.ptr, wanted.len), wanted))
                return bp_str_trim(bp_str_n(value.ptr + wanted.len + 1, len - wanted.len - 1));
            value = bp_str_n(value.ptr + len, value.len - len);
        }
    }
    return bp_str_n(NULL, 0);
}

/* Whether a client that asked for it would have got this reply compressed. */
static bool is_eligible(const struct bp_request *rq, const struct compress_stage *stage)
{
    bp_str content = bp_reply_content(rq);
    unsigned status = bp_reply_status(rq);
    if (bp_reply_streams(rq) || status < 200 || status == 204 || status == 206 || status == 304 ||
        content.len < stage->min_size || content.len < 2 || content.len > stage->max_size ||
        !type_fits(stage, bp_reply_content_type(rq)) || reply_field(rq, BP_STR("content-encoding")).ptr)
        return false;
    bp_str cache_control = reply_field(rq, BP_STR("cache-control"));
    return !has_directive(cache_control, BP_STR("no-transform")) &&
           (stage->secrets || !has_directive(cache_control, BP_STR("no-store")));
}

static int add_vary(struct bp_request *rq)
{
    return bp_header_block(rq, BP_STR("Vary: Accept-Encoding\r\n"));
}

static int set_etag(struct bp_request *rq, bp_str etag)
{
    int status = etag.ptr ? bp_header_remove(rq, BP_STR("ETag")) : BP_NOMEM;
    return status == 0 ? bp_header_set(rq, BP_STR("ETag"), etag) : bp_trace(status);
}

/* Replaces what is recorded by its compressed form. What cannot be compressed, now or at all, is sent as it is. */
static int encode(struct bp_request *rq, const struct compress_stage *stage, enum coding coding)
{
    struct coder_job job = {
        .coding = coding, .level = coding == CODING_GZIP ? stage->gzip : stage->brotli, .in = bp_reply_content(rq)};
    bp_str etag = reply_field(rq, BP_STR("etag"));
    job.out = bp_arena_alloc(bp_arena(rq), job.in.len);
    if (!job.out)
        return BP_NOMEM;
    int status = job.in.len > stage->offload ? bp_offload(coder_run, &job) : coder_run(&job);
    if (status != 0)
        return status == BP_CANCELED ? status : 0;
    if (etag.ptr) {
        status = set_etag(rq, tag_add(bp_arena(rq), etag, coding));
    }
    if (status == 0)
        status = bp_header_set(rq, BP_STR("Content-Encoding"), coding_name(coding));
    return status == 0 ? bp_reply_body(rq, bp_reply_status(rq), bp_reply_content_type(rq), bp_str_n(job.out, job.len))
                       : bp_trace(status);
}

/* The handler has found that the client has what it would get: under the name that the client knows it by. */
static int name_not_modified(struct bp_request *rq, bp_str known)
{
    bp_str etag = reply_field(rq, BP_STR("etag"));
    int status = add_vary(rq);
    for (unsigned coding = CODING_GZIP; status == 0 && coding < CODING_COUNT; coding++)
        if (etag.ptr && known.ptr && tag_listed(known, etag, (enum coding)coding))
            return set_etag(rq, tag_add(bp_arena(rq), etag, (enum coding)coding));
    return status;
}

static int strip(struct bp_request *rq, bp_str name, bp_str list)
{
    bp_str stripped = list.ptr ? tag_strip(bp_arena(rq), list) : list;
    return stripped.ptr ? bp_request_header_set(rq, name, stripped) : 0;
}

int compress_serve(struct bp_request *rq, void *self, const void *options)
{
    const struct compress_stage *stage = options;
    bp_str known = bp_request_header(rq, BP_STR("if-none-match"));
    int status = strip(rq, BP_STR("if-none-match"), known), changed = 0;
    (void)self;
    if (status == 0)
        status = strip(rq, BP_STR("if-match"), bp_request_header(rq, BP_STR("if-match")));
    if (status < 0)
        return bp_trace(status);
    status = bp_next(rq);
    if (status == BP_CANCELED || bp_reply_status(rq) == 0)
        return status;
    if (bp_reply_status(rq) == 304) {
        changed = name_not_modified(rq, known);
    } else if (is_eligible(rq, stage)) {
        unsigned offered = (stage->gzip ? 1u << CODING_GZIP : 0) | (stage->brotli ? 1u << CODING_BROTLI : 0);
        enum coding coding = accept_choose(bp_request_header(rq, BP_STR("accept-encoding")), offered);
        changed = add_vary(rq);
        if (changed == 0 && coding != CODING_IDENTITY)
            changed = encode(rq, stage, coding);
    }
    return status < 0 ? status : bp_trace(changed);
}
