/* SPDX-License-Identifier: MIT */
#include "reply_of.h"

#include <sodium.h>

#include "directives.h"

#define ETAG_HASH 16u
#define ETAG_LEN (2 * ETAG_HASH + 2)

/* Header fields set behind the cache, one by one, also those of whole blocks. */
struct fields {
    const struct bp_request *rq;
    size_t at;
    bp_str block; /* what is left of one */
};

static bool next_field(struct fields *fields, bp_str *ret_name, bp_str *ret_value)
{
    if (fields->block.len == 0) {
        if (!bp_reply_header_next(fields->rq, &fields->at, ret_name, ret_value))
            return false;
        if (ret_name->ptr)
            return true;
        fields->block = *ret_value;
    }
    const char *end = memchr(fields->block.ptr, '\n', fields->block.len);
    size_t len = end ? (size_t)(end - fields->block.ptr) + 1 : fields->block.len;
    bp_str line = bp_str_n(fields->block.ptr, len);
    const char *colon = memchr(line.ptr, ':', line.len);
    size_t name_len = colon ? (size_t)(colon - line.ptr) : line.len;
    *ret_name = bp_str_n(line.ptr, name_len);
    *ret_value = colon ? bp_str_trim(bp_str_n(colon + 1, line.len - name_len - 1)) : BP_STR("");
    fields->block = bp_str_n(line.ptr + line.len, fields->block.len - line.len);
    return true;
}

static bool may_be_kept(const struct bp_request *rq, const struct cache_stage *stage, bp_str name, bp_str value)
{
    if (bp_str_eq_nocase(name, BP_STR("set-cookie")))
        return false;
    if (bp_str_eq_nocase(name, BP_STR("cache-control")))
        return directives_allow(value, bp_identity(rq) != NULL);
    return !bp_str_eq_nocase(name, BP_STR("vary")) || ask_covers_vary(rq, stage, value);
}

/* Looks at all fields: how long their lines are, and the ETag among them. False: it must not be kept. */
static bool measure(const struct bp_request *rq, const struct cache_stage *stage, size_t *ret_len, bp_str *ret_etag)
{
    struct fields fields = {.rq = rq};
    bp_str name, value;
    *ret_len = 0;
    *ret_etag = bp_str_n(NULL, 0);
    while (next_field(&fields, &name, &value)) {
        if (!may_be_kept(rq, stage, name, value))
            return false;
        if (bp_str_eq_nocase(name, BP_STR("etag")))
            *ret_etag = value;
        *ret_len += name.len + value.len + 4;
    }
    return true;
}

/* Equal exactly when type and body are. */
static int set_etag(struct bp_request *rq, bp_str *ret_etag)
{
    static const char hex[] = "0123456789abcdef";
    bp_str type = bp_reply_content_type(rq), body = bp_reply_content(rq);
    crypto_generichash_state state;
    uint8_t hash[ETAG_HASH];
    char *etag = bp_arena_alloc(bp_arena(rq), ETAG_LEN), *at = etag;
    if (!etag)
        return BP_NOMEM;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    (void)crypto_generichash_update(&state, (const unsigned char *)type.ptr, type.len);
    (void)crypto_generichash_update(&state, (const unsigned char *)"", 1); /* a NUL, which no type holds */
    (void)crypto_generichash_update(&state, (const unsigned char *)body.ptr, body.len);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    *at++ = '"';
    for (size_t i = 0; i < sizeof(hash); i++) {
        *at++ = hex[hash[i] >> 4];
        *at++ = hex[hash[i] & 15];
    }
    *at = '"';
    *ret_etag = bp_str_n(etag, ETAG_LEN);
    return bp_header_set(rq, BP_STR("ETag"), *ret_etag);
}

static char *put(char *at, bp_str text)
{
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static char *put_line(char *at, bp_str name, bp_str value, bp_str *ret_value)
{
    at = put(put(at, name), BP_STR(": "));
    *ret_value = bp_str_n(at, value.len);
    return put(put(at, value), BP_STR("\r\n"));
}

bool reply_of(struct bp_request *rq, const struct cache_stage *stage, struct reply *ret_reply)
{
    struct fields fields = {.rq = rq};
    struct reply reply = {.content_type = bp_reply_content_type(rq), .body = bp_reply_content(rq)};
    bp_str name, value, etag, own_etag = {NULL, 0}, written;
    size_t len;
    if (bp_reply_status(rq) != 200 || bp_reply_streams(rq) || !measure(rq, stage, &len, &etag))
        return false;
    if (!etag.ptr && set_etag(rq, &own_etag) < 0)
        return false;
    char *lines = bp_arena_alloc(bp_arena(rq), len + sizeof("ETag: \r\n") + ETAG_LEN), *at = lines;
    if (!lines)
        return false;
    /* The field just set is this stage's own: the walk does not come by it. */
    if (own_etag.ptr)
        at = put_line(at, BP_STR("ETag"), own_etag, &reply.etag);
    while (next_field(&fields, &name, &value)) {
        at = put_line(at, name, value, &written);
        if (bp_str_eq_nocase(name, BP_STR("etag")))
            reply.etag = written;
    }
    reply.lines = bp_str_n(lines, (size_t)(at - lines));
    *ret_reply = reply;
    return true;
}
