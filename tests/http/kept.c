/* SPDX-License-Identifier: MIT */
/* A plugin whose replies a cache stage keeps, or must not keep, as the query says. For black-box tests only. */
#include <stdio.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "backplane/iface/cache_tags.h"

struct kept {
    struct bp_host *host;
    unsigned calls;
};

struct query {
    bp_str mode, a, b;
};

static const struct bp_field query[] = {BP_TEXT(struct query, mode, .def = ""), BP_TEXT(struct query, a, .def = ""),
                                        BP_TEXT(struct query, b, .def = ""), BP_END};

struct params {
    uint32_t id;
};

static const struct bp_field params[] = {BP_U32(struct params, id, .flags = BP_REQUIRED), BP_END};

static bool go(const struct kept *kept)
{
    char path[256];
    bp_str folder = bp_data_dir(kept->host);
    snprintf(path, sizeof(path), "%" BP_STR_FMT "/go", BP_STR_ARG(folder));
    return access(path, F_OK) == 0;
}

/* Until the test has made the file "go". */
static int wait_for_test(const struct kept *kept)
{
    int status = 0;
    while (status == 0 && !go(kept))
        status = bp_sleep(2 * BP_MILLISECOND);
    return status;
}

static int set_fields(struct bp_request *rq, bp_str mode)
{
    static const struct {
        const char *mode, *name, *value;
    } fields[] = {{"cookie", "Set-Cookie", "a=b"},
                  {"no-store", "Cache-Control", "max-age=3, no-store"},
                  {"private", "Cache-Control", "private"},
                  {"vary-accept", "Vary", "Accept"},
                  {"vary-tenant", "Vary", "accept, X-Tenant"},
                  {"vary-other", "Vary", "X-Other"},
                  {"vary-any", "Vary", "*"},
                  {"etag", "ETag", "\"own\""},
                  {"fields", "X-Own", "one"},
                  {"fields", "X-Own", "two"}};
    int status = 0;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && status == 0; i++)
        if (bp_str_is(mode, fields[i].mode))
            status = bp_header_add(rq, bp_str_of(fields[i].name), bp_str_of(fields[i].value));
    if (status == 0 && bp_str_is(mode, "block"))
        status = bp_header_block(rq, BP_STR("X-Block: here\r\nETag: \"blocked\"\r\n"));
    if (status == 0 && bp_str_is(mode, "block-cookie"))
        status = bp_header_block(rq, BP_STR("X-Block: here\r\nset-cookie: a=b\r\n"));
    return status;
}

static int answer(struct bp_request *rq, bp_str mode, unsigned call)
{
    static char big[4096];
    if (bp_str_is(mode, "missing"))
        return bp_fail(rq, 404, "kept.missing", "Nothing here");
    if (bp_str_is(mode, "empty"))
        return bp_reply_body(rq, 204, BP_STR(""), BP_STR(""));
    if (bp_str_is(mode, "error"))
        return BP_ERROR;
    if (bp_str_is(mode, "big"))
        return bp_reply_body(rq, 200, BP_STR("application/octet-stream"), bp_str_n(big, sizeof(big)));
    if (bp_str_is(mode, "stream")) {
        int status = bp_stream_begin(rq, 200, BP_STR("text/plain"));
        return status < 0 ? status : bp_stream_write(rq, BP_STR("streamed"));
    }
    bp_str text = bp_arena_printf(bp_arena(rq), "%u", call);
    return text.ptr ? bp_reply_body(rq, 200, BP_STR("text/plain"), text) : BP_NOMEM;
}

static int get(struct bp_request *rq, void *self, const void *stage)
{
    struct kept *kept = self;
    const struct query *asked = bp_query(rq);
    unsigned call = ++kept->calls;
    (void)stage;
    int status = set_fields(rq, asked->mode);
    if (status == 0 && bp_str_starts(asked->mode, BP_STR("wait")))
        status = wait_for_test(kept);
    if (status < 0)
        return status;
    if (bp_str_is(asked->mode, "wait-fail") && call == 1)
        return BP_ERROR;
    if (bp_str_is(asked->mode, "wait-cookie"))
        status = bp_header_set(rq, BP_STR("Set-Cookie"), BP_STR("a=b"));
    return status < 0 ? status : answer(rq, asked->mode, call);
}

/* How often get() was called. */
static int calls(struct bp_request *rq, void *self, const void *stage)
{
    const struct kept *kept = self;
    (void)stage;
    bp_str text = bp_arena_printf(bp_arena(rq), "%u", kept->calls);
    return text.ptr ? bp_reply_body(rq, 200, BP_STR("text/plain"), text) : BP_NOMEM;
}

/* Without an identity there is no reply to keep. */
static int mine(struct bp_request *rq, void *self, const void *stage)
{
    return calls(rq, self, stage);
}

static int init(struct bp_host *host, void *self)
{
    struct kept *kept = self;
    kept->host = host;
    return 0;
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/kept/{id}", .handler = get, .name = "kept.get", .params = params,
             .params_size = sizeof(struct params), .query = query, .query_size = sizeof(struct query),
             .cache_tag = "kept:{id}"),
    BP_ROUTE(.method = BP_GET, .path = "/calls", .handler = calls, .name = "kept.calls"),
    BP_ROUTE(.method = BP_GET, .path = "/raw", .handler = get, .name = "kept.raw", .query = query,
             .query_size = sizeof(struct query), .cache_tag = "raw"),
    BP_ROUTE(.method = BP_GET, .path = "/mine", .handler = mine, .name = "kept.mine", .cache_tag = "mine:{user}"),
    BP_ROUTE_END};

BP_PLUGIN(.name = "kept", .version = "1.0.0", .doc = "Replies to keep.", .self_size = sizeof(struct kept),
          .routes = routes, .init = init);
