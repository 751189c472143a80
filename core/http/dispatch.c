/* SPDX-License-Identifier: MIT */
/* The way of a request: route, pipeline, handler. */
#include <stdio.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/config/config.h"
#include "core/http/accept.h"
#include "core/http/guard.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"
#include "core/plugin/endpoints.h"
#include "core/trace/trace.h"
#include "core/worker/fiber.h"

/* What another listener serves is not there. */
static void find_endpoint(struct bp_request *rq, const struct assembly *assembly, const char *listener)
{
    struct router_match match;
    const struct endpoint *endpoint =
        router_find(assembly->router, rq->head.method, rq->path, &match) ? match.value : NULL;
    if (endpoint ? endpoint->listener != listener : endpoints_listener(assembly, rq->path) != listener)
        return;
    rq->allowed = match.allowed;
    rq->endpoint = endpoint;
    if (!endpoint)
        return;
    rq->params.count = match.param_count;
    for (uint32_t i = 0; i < match.param_count; i++) {
        rq->params.names[i] = match.names[i];
        rq->params.values[i] = match.params[i];
    }
}

void request_route(struct bp_request *rq, const struct assembly *assembly, const char *listener)
{
    if (rq->reject_status) {
        rq->pipeline = assembly_pipeline_for(assembly, BP_STR("/"));
        return;
    }
    char *path = bp_arena_alloc(rq->arena, rq->head.path.len + 1);
    size_t len;
    if (!path) {
        rq->reject_status = 503;
        rq->reject_reason = "Out of memory";
    } else if (bp_str_is(rq->head.path, "*")) {
        rq->path = rq->head.path;
        rq->allowed = ~0u;
    } else if (!parser_normalize_path(rq->head.path, path, &len)) {
        rq->reject_status = 400;
        rq->reject_reason = "Malformed path in the request target";
    } else {
        rq->path = bp_str_n(path, len);
        find_endpoint(rq, assembly, listener);
    }
    if (rq->head.method == 0 && !rq->reject_status) {
        rq->reject_status = 501;
        rq->reject_reason = "Method not implemented";
    } else if (rq->head.expect_unknown && !rq->reject_status) {
        rq->reject_status = 417;
        rq->reject_reason = "Only the expectation 100-continue is understood";
        rq->close_after = true;
    }
    rq->pipeline = rq->endpoint ? rq->endpoint->pipeline
                                : assembly_pipeline_for(assembly, rq->path.len > 0 ? rq->path : BP_STR("/"));
}

static const char *const method_names[] = {NULL, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

static int set_allow(struct bp_request *rq)
{
    char text[64];
    size_t len = 0;
    for (unsigned method = BP_GET; method <= BP_OPTIONS; method++)
        if (rq->allowed & (1u << method))
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? ", " : "", method_names[method]);
    return bp_header_set(rq, BP_STR("Allow"), bp_str_n(text, len));
}

/* Answers what no plugin's route answers. */
static int answer_unrouted(struct bp_request *rq)
{
    if (rq->reject_status) {
        static const struct {
            unsigned status;
            const char *code;
        } codes[] = {{400, "http.malformed"},          {408, "http.request_timeout"}, {414, "http.target_too_long"},
                     {417, "http.expectation_failed"}, {431, "http.head_too_large"},  {501, "http.not_implemented"},
                     {503, "http.unavailable"},        {505, "http.version"}};
        const char *code = "http.malformed";
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
            if (codes[i].status == rq->reject_status)
                code = codes[i].code;
        return bp_fail(rq, rq->reject_status, code, rq->reject_reason);
    }
    if (rq->head.method == BP_OPTIONS && rq->allowed) {
        int status = set_allow(rq);
        return status < 0 ? status : bp_reply_body(rq, 204, BP_STR(""), BP_STR(""));
    }
    /* The router always allows OPTIONS: another method is what makes a path exist. */
    if (rq->allowed & ~(1u << BP_OPTIONS)) {
        int status = set_allow(rq);
        return status < 0 ? status : bp_fail(rq, 405, "http.method_not_allowed", "Method not allowed");
    }
    bp_str message = bp_arena_printf(rq->arena, "Route %" BP_STR_FMT " not found", BP_STR_ARG(rq->head.target));
    return message.ptr ? bp_fail(rq, 404, "http.route_not_found", message.ptr) : BP_NOMEM;
}

static bool find_param(void *argument, bp_str name, bp_str *ret_text)
{
    const struct bp_request *rq = argument;
    for (uint32_t i = 0; i < rq->params.count; i++)
        if (bp_str_eq(rq->params.names[i], name)) {
            *ret_text = rq->params.values[i];
            return true;
        }
    return false;
}

/* The first parameter of that name in the query string. */
static bool find_query(void *argument, bp_str name, bp_str *ret_text)
{
    struct bp_request *rq = argument;
    bp_str rest = rq->head.query, key, value;
    while (rest.len > 0 && bp_query_next(rq, &rest, &key, &value))
        if (bp_str_eq(key, name)) {
            *ret_text = value;
            return true;
        }
    return false;
}

/* Decodes path and query parameters by the route's rows. */
static int decode_parameters(struct bp_request *rq)
{
    const struct bp_route *route = &rq->endpoint->route;
    struct bp_problems problems;
    int invalid = 0;
    if (!route->params && !route->query)
        return 0;
    problems_init(&problems, rq->arena);
    for (uint32_t i = 0; i < rq->params.count; i++) {
        char *text = bp_arena_alloc(rq->arena, rq->params.values[i].len + 1);
        size_t len;
        if (!text)
            return BP_NOMEM;
        if (parser_percent_decode(rq->params.values[i], false, text, &len))
            rq->params.values[i] = bp_str_n(text, len);
    }
    if (route->params) {
        rq->params.decoded = bp_arena_alloc(rq->arena, route->params_size);
        if (!rq->params.decoded)
            return BP_NOMEM;
        invalid |= schema_decode_texts(route->params, find_param, rq, rq->arena, rq->params.decoded, &problems);
    }
    if (route->query && invalid >= 0) {
        rq->query = bp_arena_alloc(rq->arena, route->query_size);
        if (!rq->query)
            return BP_NOMEM;
        invalid |= schema_decode_texts(route->query, find_query, rq, rq->arena, rq->query, &problems);
    }
    if (invalid < 0)
        return BP_NOMEM;
    if (!invalid)
        return 0;
    int status = request_fail_problems(rq, &problems, false);
    return status < 0 ? status : BP_REFUSED;
}

static int run_handler(struct bp_request *rq)
{
    if (rq->reject_status || !rq->endpoint)
        return answer_unrouted(rq);
    int status = decode_parameters(rq);
    if (status < 0)
        return status;
    return rq->endpoint->route.handler(rq, rq->endpoint->host->self, NULL);
}

/* What no route answers passes the stages before authentication only. */
static uint32_t stages_of(const struct bp_request *rq)
{
    if (!rq->pipeline)
        return 0;
    return (uint32_t)(rq->endpoint && !rq->reject_status ? rq->pipeline->count : rq->pipeline->open_count);
}

struct bp_host *request_running(const struct bp_request *rq, uint32_t index)
{
    if (index < rq->stage_count)
        return rq->pipeline->stages[index].host;
    return rq->endpoint ? rq->endpoint->host : NULL;
}

static const char *running_plugin(const struct bp_request *rq, uint32_t index)
{
    const struct bp_host *host = request_running(rq, index);
    return host ? host->name : NULL;
}

/* Behind the stages that find out who asks, and before any that may answer in the handler's place. */
static bool is_guarded(const struct bp_request *rq, uint32_t index)
{
    return rq->pipeline && rq->endpoint && !rq->reject_status && index == rq->pipeline->guard_index;
}

/* While the request is traced: what waits becomes a part of its trace, unless that is the handler, whose own parts say enough. */
static __attribute__((noinline)) int call_traced(struct bp_request *rq, const struct stage *stage)
{
    struct fiber_trace *trace = fiber_trace_of(rq->fiber);
    if (!stage) {
        struct trace_frame *frame = trace_frame_leave(trace);
        int status = run_handler(rq);
        trace_frame_return(trace, frame);
        return status;
    }
    struct trace_frame frame;
    trace_frame_begin(&frame, trace, stage->name, stage->host->name);
    int status = stage->function(rq, stage->self, stage->options);
    trace_frame_end(&frame);
    return status;
}

static inline int call(struct bp_request *rq, const struct stage *stage)
{
    if (rq->records)
        return call_traced(rq, stage);
    return stage ? stage->function(rq, stage->self, stage->options) : run_handler(rq);
}

static __attribute__((noinline)) int call_timed(struct bp_request *rq, const struct stage *stage, uint32_t index)
{
    struct hook_timer timer = {.outer = rq->timer};
    bp_time began = bp_clock();
    rq->timer = &timer;
    int status = call(rq, stage);
    rq->timer = timer.outer;
    bp_span took = bp_clock() - began;
    timer.outer->inner += took;
    hooks_took(request_running(rq, index), stage ? HOOK_MIDDLEWARE : HOOK_HANDLER, took - timer.inner);
    return status;
}

/* Of a route whose reply is JSON. */
static bool is_acceptable(struct bp_request *rq)
{
    const struct bp_route *route = &rq->endpoint->route;
    return route->reply_type || route->reply_form == BP_REPLY_UNDOCUMENTED ||
           accept_takes_json(bp_request_header(rq, BP_STR("accept")),
                             (enum accept_refusal)rq->connection->server->options->not_acceptable);
}

/* A route that asks for a role or scope which who asks has not. */
static int refuse_access(struct bp_request *rq)
{
    const struct bp_identity *identity = bp_identity(rq);
    char id[BP_UUID_LEN];
    if (identity)
        bp_uuid_format(&identity->user_id, id);
    bp_audit(NULL, "access.denied", "A request was refused for want of rights", bp_log_cstr("outcome", "denied"),
             bp_log_str("method", rq->head.method_text), bp_log_str("route", bp_request_route(rq)),
             bp_log_str("user_id", bp_str_n(id, identity ? sizeof(id) : 0)));
    return bp_fail(rq, 403, "auth.forbidden", "Forbidden");
}

/* Runs the stage of this index, or the handler behind the last one. */
static int run(struct bp_request *rq, uint32_t index)
{
    const struct stage *stage = index < rq->stage_count ? &rq->pipeline->stages[index] : NULL;
    const char *plugin = running_plugin(rq, index);
    uint32_t outer = rq->stage;
    struct fiber_place *place = rq->place;
    const char *outer_plugin = place->plugin, *outer_hook = place->hook;
    place->plugin = plugin;
    place->hook = stage ? "middleware" : "handler";
    rq->stage = index;
    rq->next_stage = index + 1;
    int status;
    if (is_guarded(rq, index) && !guard_admits(&rq->endpoint->route, bp_identity(rq)))
        status = refuse_access(rq);
    else if (is_guarded(rq, index) && !is_acceptable(rq))
        status = bp_fail(rq, 406, "http.not_acceptable", "The reply would be application/json, which Accept excludes");
    else
        status = rq->timer ? call_timed(rq, stage, index) : call(rq, stage);
    if (status == 0 && !stage && rq->status == 0) {
        bp_log(NULL, BP_LOG_ERROR, "request.no_reply", "A handler returned without a reply",
               bp_log_cstr("plugin", plugin), bp_log_str("route", bp_request_route(rq)));
        status = BP_ERROR;
    } else if (status > 0) {
        bp_log(NULL, BP_LOG_ERROR, "request.bad_status", "A stage or handler returned a positive status",
               bp_log_cstr("plugin", plugin), bp_log_int("status", status));
        status = BP_MISUSE;
    }
    if (status < 0)
        request_fail_status(rq, status, plugin);
    rq->stage = outer;
    place->plugin = outer_plugin;
    place->hook = outer_hook;
    return status;
}

int bp_next(struct bp_request *rq)
{
    if (rq->next_stage != rq->stage + 1) {
        bp_log(NULL, BP_LOG_ERROR, "request.next_twice", "A stage called bp_next a second time",
               bp_log_cstr("plugin", running_plugin(rq, rq->stage)));
        return BP_MISUSE;
    }
    return run(rq, rq->next_stage);
}

void request_run(void *argument)
{
    struct bp_request *rq = argument;
    rq->fiber = fiber_current();
    rq->place = fiber_place_of(rq->fiber);
    rq->place->route = rq->endpoint ? rq->endpoint->route.path : NULL;
    rq->stage_count = stages_of(rq);
    struct hook_timer timer = {0};
    rq->timer = hooks_sampled() ? &timer : NULL;
    if (run(rq, 0) == BP_CANCELED)
        rq->cut = true;       /* nobody is there to read a reply */
    else if (rq->status == 0) /* a stage that neither replied nor called bp_next */
        request_fail_status(rq, BP_ERROR, running_plugin(rq, 0));
    if (rq->status >= 500 || rq->cut)
        request_note_error(rq);
    rq->timer = NULL;
}
