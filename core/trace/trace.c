/* SPDX-License-Identifier: MIT */
#include "core/trace/trace.h"

#include "backplane/iface/tracer.h"
#include "core/http/request.h"
#include "core/plugin/assembly.h"
#include "core/worker/fiber.h"

/* Of this process: a worker runs one assembly. */
static struct bp_service tracer;

static const void *tracer_of(const struct bp_host *host)
{
    for (const struct bp_provide *provide = host->plugin.provides; provide && provide->size; provide++)
        if (strcmp(provide->interface, BP_TRACER) == 0 && provide->version == BP_TRACER_VERSION)
            return provide->vtable;
    return NULL;
}

void trace_start(const struct assembly *assembly)
{
    for (size_t i = 0; i < assembly->host_count && !tracer.vtable; i++)
        tracer = (struct bp_service){tracer_of(assembly->hosts[i]), assembly->hosts[i]->self};
}

void trace_stop(void)
{
    tracer = (struct bp_service){0};
}

void trace_push(struct fiber_trace *trace, struct bp_trace_span *span)
{
    span->outer = trace->span;
    trace->span = span;
}

/* Takes span away: the one around it is current again. Spans end in the order opposite to that in which they began, but for those of
 * careless code. */
static void trace_remove(struct fiber_trace *trace, struct bp_trace_span *span)
{
    for (struct bp_trace_span **at = &trace->span; *at; at = &(*at)->outer)
        if (*at == span) {
            *at = span->outer;
            return;
        }
}

static struct fiber_trace *current(void)
{
    struct bp_fiber *fiber = fiber_current();
    return fiber ? fiber_trace_of(fiber) : NULL;
}

struct bp_trace_span *bp_trace_begin(const char *name, enum bp_trace_kind kind)
{
    struct fiber_trace *trace = current();
    if (!trace || !trace->span || !trace->span->recording)
        return NULL;
    if (trace->frame)
        trace_frame_show(trace->frame);
    struct bp_trace_span *span = trace->span->tracer->begin(trace->span, bp_str_of(name), kind, bp_clock());
    if (span)
        trace_push(trace, span);
    return span;
}

struct bp_trace_span *bp_trace_root(const char *name, enum bp_trace_kind kind, const struct bp_trace_context *parent)
{
    struct fiber_trace *trace = current();
    const struct bp_tracer_vtable *vtable = tracer.vtable;
    if (!trace || !vtable)
        return NULL;
    struct bp_trace_span *span = vtable->root(tracer.self, parent, bp_str_of(name), kind, bp_clock());
    if (span)
        trace_push(trace, span);
    return span;
}

void bp_trace_end(struct bp_trace_span *span)
{
    struct fiber_trace *trace = span ? current() : NULL;
    if (!span)
        return;
    if (trace)
        trace_remove(trace, span);
    span->tracer->end(span, bp_clock());
}

struct bp_trace_span *bp_trace_active(void)
{
    struct fiber_trace *trace = current();
    return trace && trace->span && trace->span->recording ? trace->span : NULL;
}

void bp_trace_rename(struct bp_trace_span *span, bp_str name)
{
    if (span)
        span->tracer->rename(span, name);
}

void bp_trace_text(struct bp_trace_span *span, const char *key, bp_str value)
{
    if (span)
        span->tracer->text(span, key, value, false);
}

void bp_trace_text_borrow(struct bp_trace_span *span, const char *key, bp_str value)
{
    if (span)
        span->tracer->text(span, key, value, true);
}

void bp_trace_integer(struct bp_trace_span *span, const char *key, int64_t value)
{
    if (span)
        span->tracer->integer(span, key, value);
}

void bp_trace_boolean(struct bp_trace_span *span, const char *key, bool value)
{
    if (span)
        span->tracer->boolean(span, key, value);
}

void bp_trace_error(struct bp_trace_span *span, const char *type)
{
    if (span)
        span->tracer->error(span, type);
}

void bp_trace_link(struct bp_trace_span *span, const struct bp_trace_context *context)
{
    if (span)
        span->tracer->link(span, context);
}

bool bp_trace_current(struct bp_trace_context *ret_context)
{
    struct fiber_trace *trace = current();
    if (!trace || !trace->span)
        return false;
    *ret_context = trace->span->context;
    return true;
}

void bp_trace_inject(void (*set)(void *argument, const char *name, bp_str value), void *argument)
{
    struct bp_trace_context context;
    char parent[BP_TRACE_PARENT_LEN];
    if (!bp_trace_current(&context))
        return;
    bp_trace_parent_format(&context, parent);
    set(argument, "traceparent", bp_str_n(parent, sizeof(parent)));
    if (context.state.len > 0)
        set(argument, "tracestate", context.state);
    if (context.baggage.len > 0)
        set(argument, "baggage", context.baggage);
}

const struct bp_trace_context *bp_request_trace(const struct bp_request *rq)
{
    return rq->trace;
}

void bp_trace_enter(struct bp_request *rq, struct bp_trace_span *span, const struct bp_trace_context *context)
{
    rq->trace = context;
    rq->records = span->recording;
    trace_push(fiber_trace_of(rq->fiber), span);
}

void bp_trace_leave(struct bp_request *rq, struct bp_trace_span *span)
{
    struct fiber_trace *trace = fiber_trace_of(rq->fiber);
    rq->records = false;
    /* With what careless code began within it and did not end: the tracer may forget all of it now. */
    for (struct bp_trace_span *at = trace->span; at; at = at->outer)
        if (at == span)
            trace->span = span->outer;
}
