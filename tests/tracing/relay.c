/* SPDX-License-Identifier: MIT */
/* A plugin that waits, fails, asks another server and works behind a request's back, to see what of it is traced. For black-box tests only. */
#include "backplane/backplane.h"
#include "backplane/iface/http_client.h"

struct job {
    struct bp_trace_context cause;
    char parent[BP_TRACE_PARENT_LEN];
};

struct relay {
    struct bp_service client;
    struct bp_host *host;
    struct job job; /* one at a time */
};

struct query {
    bp_str url;
    uint32_t count;
};

static const struct bp_field query[] = {BP_TEXT(struct query, url, .def = ""), BP_U32(struct query, count, .def = "1"),
                                        BP_END};

static int relay(struct bp_request *rq, void *self, const void *stage)
{
    const struct relay *relay = self;
    const struct query *asked = bp_query(rq);
    struct bp_http_response response;
    (void)stage;
    int status = bp_http_send(relay->client, &BP_HTTP_REQUEST(.url = asked->url, .timeout = 5 * BP_SECOND),
                              bp_arena(rq), &response);
    if (status < 0)
        return status;
    return status > 0 ? bp_fail(rq, 502, "relay.no_response", bp_http_condition(status))
                      : bp_reply_body(rq, response.status, BP_STR("text/plain"), response.body);
}

static int slow(struct bp_request *rq, void *self, const void *stage)
{
    (void)self, (void)stage;
    int status = bp_sleep(60 * BP_MILLISECOND);
    return status < 0 ? status : bp_reply_message(rq, 200, "At last");
}

static int failing(struct bp_request *rq, void *self, const void *stage)
{
    (void)rq, (void)self, (void)stage;
    return BP_ERROR;
}

/* More spans than a trace holds, with every kind of attribute; the last is never ended. */
static int spans(struct bp_request *rq, void *self, const void *stage)
{
    const struct query *asked = bp_query(rq);
    (void)self, (void)stage;
    for (uint32_t i = 0; i < asked->count; i++) {
        struct bp_trace_span *span = bp_trace_begin("part", BP_TRACE_INTERNAL);
        bp_trace_integer(span, "number", i);
        bp_trace_boolean(span, "even", i % 2 == 0);
        bp_trace_text(span, "bytes", bp_str_n("a\xff\n\"", 4));
        if (i + 1 < asked->count)
            bp_trace_end(span);
    }
    return bp_reply_message(rq, 200, "Done");
}

/* Lines with every kind of field, and one of the audit log. */
static int say(struct bp_request *rq, void *self, const void *stage)
{
    const struct relay *relay = self;
    const struct query *asked = bp_query(rq);
    (void)stage;
    for (uint32_t i = 0; i < asked->count; i++)
        bp_log(relay->host, BP_LOG_WARN, "relay.said", "Something was \xffsaid", bp_log_int("number", -7),
               bp_log_num("half", 0.5), bp_log_bool("right", true), bp_log_str("bytes", bp_str_n("a\xff\n\"", 4)),
               bp_log_cstr("api_token", "hidden"), bp_log_cstr("bytes", "twice"));
    bp_audit(relay->host, "relay.audited", "Somebody did something", bp_log_cstr("outcome", "ok"));
    return bp_reply_message(rq, 200, "Said");
}

static int work(void *argument)
{
    struct job *job = argument;
    struct bp_trace_context context;
    bp_trace_parent_parse(bp_str_n(job->parent, sizeof(job->parent)), &job->cause);
    struct bp_trace_span *root = bp_trace_root("work", BP_TRACE_CONSUMER, NULL);
    bp_trace_link(root, &job->cause);
    struct bp_trace_span *child = bp_trace_begin("piece", BP_TRACE_INTERNAL);
    int status = bp_sleep(BP_MILLISECOND);
    bp_trace_error(child, "late");
    bp_trace_end(child);
    if (bp_trace_current(&context))
        bp_log(NULL, BP_LOG_INFO, "relay.worked", "A line of a job");
    bp_trace_end(root);
    return status;
}

static void keep_parent(void *argument, const char *name, bp_str value)
{
    struct job *job = argument;
    if (strcmp(name, "traceparent") == 0)
        memcpy(job->parent, value.ptr, sizeof(job->parent));
}

static int enqueue(struct bp_request *rq, void *self, const void *stage)
{
    struct relay *relay = self;
    (void)stage;
    bp_trace_inject(keep_parent, &relay->job);
    int status = bp_spawn(relay->host, "work", work, &relay->job, BP_FOREVER);
    return status < 0 ? status : bp_reply_message(rq, 202, "Later");
}

/* What a stage injects, and what it is told: for the fields that go on. */
static void show(void *argument, const char *name, bp_str value)
{
    struct bp_request *rq = argument;
    (void)bp_header_set(rq, bp_str_of(name), value);
}

static int fields(struct bp_request *rq, void *self, const void *stage)
{
    (void)self, (void)stage;
    bp_trace_inject(show, rq);
    return bp_reply_message(rq, 200, "Fields");
}

/* Waits before and after what is behind it, when it is asked to. */
static int wait_around(struct bp_request *rq, void *self, const void *stage)
{
    bool waits = bp_request_header(rq, BP_STR("x-wait")).len > 0;
    (void)self, (void)stage;
    int status = waits ? bp_sleep(2 * BP_MILLISECOND) : 0;
    if (status == 0)
        status = bp_next(rq);
    if (waits && status == 0)
        status = bp_sleep(2 * BP_MILLISECOND);
    return status;
}

static int init(struct bp_host *host, void *self)
{
    struct relay *relay = self;
    relay->host = host;
    return 0;
}

#define ROUTE(...) BP_ROUTE(.method = BP_GET, .doc = "A test.", .reply_type = "text/plain", __VA_ARGS__)

static const struct bp_route routes[] = {
    ROUTE(.path = "/relay", .handler = relay, .name = "relay.relay", .query = query,
          .query_size = sizeof(struct query)),
    ROUTE(.path = "/slow", .handler = slow, .name = "relay.slow"),
    ROUTE(.path = "/failing", .handler = failing, .name = "relay.failing"),
    ROUTE(.path = "/spans", .handler = spans, .name = "relay.spans", .query = query,
          .query_size = sizeof(struct query)),
    ROUTE(.path = "/enqueue", .handler = enqueue, .name = "relay.enqueue"),
    ROUTE(.path = "/say", .handler = say, .name = "relay.say", .query = query, .query_size = sizeof(struct query)),
    ROUTE(.path = "/fields", .handler = fields, .name = "relay.fields"),
    BP_ROUTE_END};
static const struct bp_need needs[] = {BP_NEED(BP_HTTP_CLIENT, BP_HTTP_CLIENT_VERSION, struct relay, client),
                                       BP_NEED_END};

BP_PLUGIN(.name = "relay", .version = "1.0.0", .doc = "A test.", .self_size = sizeof(struct relay), .needs = needs,
          .routes = routes, .init = init, .middleware = wait_around);
