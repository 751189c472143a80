/* SPDX-License-Identifier: MIT */
/* The stage: each request becomes a part of a trace, its own or that of whoever sent it. */
#include "redact.h"
#include "tracing.h"

/* What OpenTelemetry calls a method that it does not know. */
#define OTHER_METHOD "_OTHER"

static bool take_parent(const struct tracing *tracing, struct bp_request *rq, struct bp_trace_context *ret_parent)
{
    bp_str field = tracing->accept_parent ? bp_request_header(rq, BP_STR("traceparent")) : bp_str_n(NULL, 0);
    if (!field.ptr || !bp_trace_parent_parse(field, ret_parent))
        return false;
    field = bp_request_header(rq, BP_STR("tracestate"));
    if (field.len > 0)
        ret_parent->state = bp_trace_state_checked(field);
    return true;
}

/* Ours below the parent's: a new trace has an identifier of its own. */
static void identify(struct tracing *tracing, const struct bp_trace_context *parent, struct bp_trace_context *context)
{
    if (parent)
        *context = *parent;
    else
        recorder_identify(&tracing->recorder, context->trace_id, sizeof(context->trace_id));
    recorder_identify(&tracing->recorder, context->span_id, sizeof(context->span_id));
}

static void set_parent(struct span *span, const struct bp_trace_context *parent)
{
    span->has_parent = span->parent_is_remote = true;
    memcpy(span->parent_id, parent->span_id, sizeof(span->parent_id));
}

/* --- what is known at its end --- */

static void add_text(struct span *span, const char *key, bp_str value)
{
    bp_str text = value.len > 0 ? record_clean(span->record, value, true) : bp_str_n(NULL, 0);
    struct attribute *attribute = text.ptr ? record_attribute(span, key) : NULL;
    if (!attribute)
        return;
    attribute->type = ATTRIBUTE_TEXT;
    attribute->as.text = text;
}

static void add_integer(struct span *span, const char *key, int64_t value)
{
    struct attribute *attribute = record_attribute(span, key);
    if (!attribute)
        return;
    attribute->type = ATTRIBUTE_INTEGER;
    attribute->as.integer = value;
}

/* "example.com:3000", "[::1]:80", "example.com" */
static void add_server(struct span *span, bp_str authority, bool secure)
{
    const char *end = authority.ptr + authority.len,
               *colon = authority.len ? memrchr(authority.ptr, ':', authority.len) : NULL;
    uint64_t port = secure ? 443 : 80, said;
    if (authority.len == 0)
        return;
    if (colon && memchr(colon, ']', (size_t)(end - colon)))
        colon = NULL; /* within an address */
    bp_str name = bp_str_n(authority.ptr, colon ? (size_t)(colon - authority.ptr) : authority.len);
    if (colon && bp_str_to_u64(bp_str_n(colon + 1, (size_t)(end - colon - 1)), &said))
        port = said;
    if (name.len > 2 && name.ptr[0] == '[')
        name = bp_str_n(name.ptr + 1, name.len - 2);
    add_text(span, "server.address", name);
    add_integer(span, "server.port", (int64_t)port);
}

static void add_query(struct span *span, bp_str query)
{
    char *text = query.len > 0 ? record_alloc(span->record, redact_room(query)) : NULL;
    if (text)
        add_text(span, "url.query", bp_str_n(text, redact_query(query, text)));
}

/* "GET /api/v1/todos/{id}", "GET" */
static bp_str name_of(struct record *record, bp_str method, bp_str route)
{
    char *text = route.len > 0 ? record_alloc(record, method.len + 1 + route.len) : NULL;
    if (!text)
        return method;
    memcpy(text, method.ptr, method.len);
    text[method.len] = ' ';
    memcpy(text + method.len + 1, route.ptr, route.len);
    return bp_str_n(text, method.len + 1 + route.len);
}

/* OpenTelemetry's semantic conventions for HTTP servers. Texts live longer than the record: they are borrowed. */
static void describe(struct record *record, struct bp_request *rq, unsigned status)
{
    struct span *span = record->root;
    bool known = bp_request_method(rq) != 0, secure = bp_request_secure(rq);
    bp_str method = bp_request_method_name(rq), route = bp_request_route(rq);
    char code[3] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10), (char)('0' + status % 10)};
    span->name = name_of(record, known ? method : BP_STR("HTTP"), route);
    add_text(span, "http.request.method", known ? method : BP_STR(OTHER_METHOD));
    if (!known)
        add_text(span, "http.request.method_original", method);
    add_text(span, "http.route", route);
    add_text(span, "url.path", bp_request_path(rq));
    add_query(span, bp_request_query(rq));
    add_text(span, "url.scheme", secure ? BP_STR("https") : BP_STR("http"));
    if (status > 0)
        add_integer(span, "http.response.status_code", status);
    add_server(span, bp_request_host(rq), secure);
    add_text(span, "client.address", bp_request_client(rq));
    add_text(span, "network.protocol.version", bp_request_http_version(rq));
    add_text(span, "user_agent.original", bp_request_header(rq, BP_STR("user-agent")));
    if (status >= 500) {
        span->failed = true;
        record_text(&span->base, "error.type", bp_str_n(code, sizeof(code)), false);
    } else if (status == 0) {
        /* The client left before there was a reply: nothing of ours failed. */
        record_text(&span->base, "error.type", BP_STR("client_gone"), true);
    }
}

static bool is_kept(const struct tracing *tracing, const struct record *record, unsigned status, bp_span duration)
{
    return record->sampled || (tracing->keep_failed && status >= 500) ||
           (tracing->keep_slow > 0 && duration >= tracing->keep_slow);
}

/* status 0: there was no reply. Nothing is recorded of the request any more. */
static void finish(struct tracing *tracing, struct bp_request *rq, unsigned status, bp_span duration)
{
    struct request_trace *trace = bp_slot(rq, tracing->slot);
    struct record *record = trace->record;
    trace->record = NULL;
    if (!is_kept(tracing, record, status, duration)) {
        record_free(record);
        return;
    }
    record->root->ended = record->root->began + duration;
    describe(record, rq, status);
    tracing_keep(tracing, record);
}

static void done(struct bp_request *rq, const struct bp_done *done_with, void *argument)
{
    struct tracing *tracing = argument;
    const struct request_trace *trace = bp_slot(rq, tracing->slot);
    if (trace->record)
        finish(tracing, rq, done_with->status, done_with->duration);
}

/* --- the stage --- */

/* Whether to record: now, or so that it can still be decided at the end. */
static bool begin_record(struct tracing *tracing, struct bp_request *rq, struct request_trace *trace, bool sampled)
{
    if (!tracing->exports || (!sampled && !tracing->keep_failed && tracing->keep_slow == 0))
        return false;
    struct record *record =
        record_new(&tracing->recorder, &trace->context.context, BP_STR("HTTP"), BP_TRACE_SERVER, bp_started(rq));
    if (!record || bp_on_done(rq, done, tracing) != 0) {
        record_free(record);
        tracing_no_memory(tracing);
        return false;
    }
    record->sampled = sampled;
    record->of_request = true;
    trace->record = record;
    return true;
}

int tracing_observe(struct bp_request *rq, void *self, const void *stage)
{
    struct tracing *tracing = self;
    struct request_trace *trace = bp_slot(rq, tracing->slot);
    struct bp_trace_context parent, *context = &trace->context.context;
    (void)stage;
    if (tracing->disabled)
        return bp_next(rq);
    bool continued = take_parent(tracing, rq, &parent);
    bp_str baggage = tracing->accept_parent ? bp_request_header(rq, BP_STR("baggage")) : bp_str_n(NULL, 0);
    identify(tracing, continued ? &parent : NULL, context);
    if (baggage.len > 0)
        context->baggage = bp_trace_baggage_checked(baggage);
    bool sampled = sampler_decide(&tracing->deciding, context->trace_id, continued ? &parent : NULL, bp_started(rq));
    context->flags = sampled ? BP_TRACE_SAMPLED : 0;
    struct bp_trace_span *span = &trace->context;
    if (begin_record(tracing, rq, trace, sampled)) {
        span = &trace->record->root->base;
        if (continued)
            set_parent(trace->record->root, &parent);
    }
    bp_trace_enter(rq, span, context);
    int status = bp_next(rq);
    bp_trace_leave(rq, span);
    /* A stream may stay open for hours: its span says how it was begun, and is there while it lasts. */
    if (status == 0 && trace->record && bp_stream_detached(rq))
        finish(tracing, rq, bp_reply_status(rq), bp_clock() - bp_started(rq));
    return status;
}

/* --- without a request --- */

struct bp_trace_span *tracing_root(void *self, const struct bp_trace_context *parent, bp_str name,
                                   enum bp_trace_kind kind, bp_time began)
{
    struct tracing *tracing = self;
    struct bp_trace_context context = {.flags = 0};
    if (tracing->disabled || !tracing->exports || !tracing->started)
        return NULL;
    identify(tracing, parent, &context);
    bool sampled = sampler_decide(&tracing->deciding, context.trace_id, parent, began);
    context.flags = sampled ? BP_TRACE_SAMPLED : 0;
    if (!sampled && !tracing->keep_failed && tracing->keep_slow == 0)
        return NULL;
    struct record *record = record_new(&tracing->recorder, &context, BP_STR(""), kind, began);
    if (!record) {
        tracing_no_memory(tracing);
        return NULL;
    }
    record->sampled = sampled;
    /* Whoever called may free what the context pointed to: the texts of a root are its own. */
    struct span *root = record->root;
    record_rename(&root->base, name);
    root->base.context.state = record_clean(record, context.state, false);
    root->base.context.baggage = record_clean(record, context.baggage, false);
    if (parent)
        set_parent(root, parent);
    return &root->base;
}

void tracing_root_ended(struct record *record, void *argument)
{
    struct tracing *tracing = argument;
    const struct span *root = record->root;
    bool kept = record->sampled || (tracing->keep_failed && root->failed) ||
                (tracing->keep_slow > 0 && root->ended - root->began >= tracing->keep_slow);
    if (kept)
        tracing_keep(tracing, record);
    else
        record_free(record);
}
