/* SPDX-License-Identifier: MIT */
/* Errors, in the envelope or as RFC 9457, whichever the client prefers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "backplane/trace.h"
#include "core/base/buffer.h"
#include "core/config/config.h"
#include "core/error/errors.h"
#include "core/http/accept.h"
#include "core/http/connection.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"
#include "core/worker/fiber.h"

static void add_member(struct buffer *out, const char *name, bp_str value)
{
    buffer_printf(out, ",\"%s\":", name);
    schema_encode_text(value, out);
}

static void add_errors(struct buffer *out, const struct bp_problems *problems)
{
    buffer_add(out, BP_STR(",\"errors\":["));
    for (size_t i = 0; i < problems->len; i++) {
        const struct problem *p = &problems->items[i];
        buffer_add(out, i ? BP_STR(",{\"field\":") : BP_STR("{\"field\":"));
        schema_encode_text(p->field, out);
        add_member(out, "pointer", p->pointer);
        add_member(out, "code", p->code);
        add_member(out, "message", p->message);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
}

/* Where the code is explained, or about:blank; the title is that of all of its status (RFC 9457 4.2.1). */
static void add_problem_type(struct buffer *out, bp_str base, unsigned status, const char *code)
{
    struct buffer type = {0};
    buffer_add(&type, base.len > 0 ? base : BP_STR("about:blank"));
    if (base.len > 0)
        buffer_add(&type, bp_str_of(code));
    buffer_add(out, BP_STR("{\"type\":"));
    schema_encode_text(buffer_str(&type), out);
    out->failed |= type.failed;
    buffer_deinit(&type);
    add_member(out, "title", reply_reason(status));
    buffer_printf(out, ",\"status\":%u", status);
}

static int record(struct bp_request *rq, unsigned status, const char *code, bp_str message,
                  const struct bp_problems *problems)
{
    bool as_problem = accept_prefers_problem(bp_request_header(rq, BP_STR("accept")));
    struct buffer *out = &rq->connection->server->scratch;
    if (status >= 500)
        hooks_failed(request_running(rq, rq->stage), status);
    out->len = 0;
    out->failed = false;
    if (as_problem) {
        add_problem_type(out, rq->connection->server->options->problem_base, status, code);
        add_member(out, "detail", message);
        add_member(out, "instance", rq->path.ptr ? rq->path : BP_STR("/"));
    } else {
        buffer_printf(out, "{\"success\":false,\"status\":\"%s\",\"message\":", status < 500 ? "fail" : "error");
        schema_encode_text(message, out);
    }
    add_member(out, "code", bp_str_of(code));
    if (problems)
        add_errors(out, problems);
    if (rq->id.len > 0)
        add_member(out, "requestId", rq->id);
    if (as_problem && rq->trace) {
        char id[BP_TRACE_ID_LEN];
        bp_trace_id_format(rq->trace, id);
        add_member(out, "traceId", bp_str_n(id, sizeof(id)));
    }
    buffer_add_char(out, '}');
    bp_str body = out->failed ? bp_str_n(NULL, 0) : bp_arena_copy(rq->arena, buffer_str(out));
    if (!body.ptr)
        return BP_NOMEM;
    return bp_reply_body(
        rq, status, as_problem ? BP_STR("application/problem+json") : BP_STR("application/json; charset=utf-8"), body);
}

/* What the error's group will show. The code is a constant. */
static void remember(struct bp_request *rq, unsigned status, const char *plugin, const char *code, bp_str message)
{
    rq->error_status = status;
    rq->error.plugin = plugin;
    rq->error.code = code;
    rq->error.message = bp_arena_copy(rq->arena, message);
}

void request_note_error(struct bp_request *rq)
{
    const char *own = rq->endpoint ? rq->endpoint->host->name : NULL;
    char code[24], trace_id[BP_TRACE_ID_LEN];
    struct error_sample sample = {.plugin = bp_str_of(own), .route = bp_request_route(rq), .request_id = rq->id};
    if (rq->streaming && rq->cut && rq->failed_status < 0) {
        sample.code = BP_STR("stream.cut");
        sample.message = bp_str_of(bp_status_name(rq->failed_status));
    } else if (rq->status < 500) {
        return;
    } else if (rq->error_status == rq->status) {
        sample.plugin = bp_str_of(rq->error.plugin);
        sample.code = bp_str_of(rq->error.code);
        sample.message = rq->error.message;
    } else { /* a plugin's own reply */
        (void)snprintf(code, sizeof(code), "status.%u", rq->status);
        sample.code = bp_str_of(code);
    }
    if (rq->trace) {
        bp_trace_id_format(rq->trace, trace_id);
        sample.trace_id = bp_str_n(trace_id, sizeof(trace_id));
    }
    errors_note_here(&sample);
}

int bp_fail(struct bp_request *rq, unsigned status, const char *code, const char *message)
{
    if (status >= 500)
        remember(rq, status, rq->place ? rq->place->plugin : NULL, code, bp_str_of(message));
    return record(rq, status, code, bp_str_of(message), NULL);
}

int request_fail_problems(struct bp_request *rq, const struct bp_problems *problems, bool syntax)
{
    if (problems->failed)
        return BP_NOMEM;
    if (syntax)
        return record(rq, 400, "http.malformed_json",
                      problems->len ? problems->items[0].message : BP_STR("Invalid JSON"), problems);
    size_t len = 0;
    for (size_t i = 0; i < problems->len; i++)
        len += problems->items[i].message.len + 2;
    struct buffer joined = {0};
    buffer_reserve(&joined, len + 32);
    buffer_add(&joined, BP_STR("Validation failed: "));
    for (size_t i = 0; i < problems->len; i++) {
        if (i > 0)
            buffer_add(&joined, BP_STR(", "));
        buffer_add(&joined, problems->items[i].message);
    }
    int status = joined.failed ? BP_NOMEM : record(rq, 400, "validation.failed", buffer_str(&joined), problems);
    buffer_deinit(&joined);
    return status;
}

/* What is recorded when memory ran out while an error was being recorded. */
static const bp_str last_resort = BP_STR_INIT(
    "{\"success\":false,\"status\":\"error\",\"message\":\"Internal server error\",\"code\":\"http.internal\"}");

void request_fail_status(struct bp_request *rq, int status, const char *plugin)
{
    static const bp_str one_second = BP_STR_INIT("1");
    int recorded = 0;
    if (status == BP_CANCELED || status == BP_REFUSED || rq->failed_status == status)
        return;
    rq->failed_status = status;
    if (rq->streaming) { /* the head is out: the only honest end is to cut the stream */
        rq->cut = true;
        hooks_failed(request_running(rq, rq->stage), 500);
        return;
    }
    switch (status) {
    case BP_TIMEOUT:
        recorded = bp_fail(rq, 504, "http.timeout", "The request took too long");
        break;
    case BP_BUSY:
        (void)bp_header_set(rq, BP_STR("Retry-After"), one_second);
        recorded = bp_fail(rq, 503, "http.busy", "Service unavailable");
        break;
    case BP_UNKNOWN:
        (void)bp_header_set(rq, BP_STR("Retry-After"), one_second);
        recorded = bp_fail(rq, 503, "http.outcome_unknown",
                           "Service unavailable: it is unknown whether the change took place");
        break;
    default:
        bp_log(NULL, BP_LOG_ERROR, "request.failed", "A request failed", bp_log_cstr("plugin", plugin),
               bp_log_str("route", bp_request_route(rq)), bp_log_cstr("status", bp_status_name(status)));
        recorded = bp_fail(rq, 500, "http.internal", "Internal server error");
    }
    /* Which of the reasons it was is more than the client was told. */
    rq->error.plugin = plugin;
    rq->error.message = bp_str_of(bp_status_name(status));
    if (recorded < 0)
        (void)bp_reply_body(rq, 500, BP_STR("application/json; charset=utf-8"), last_resort);
}
