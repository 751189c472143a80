/* SPDX-License-Identifier: MIT */
#include "slow.h"

#include <stdio.h>

#include "backplane/iface/tracer.h"

struct span {
    struct bp_trace_span base;
    struct bp_trace_span *inner; /* the tracer's; NULL: nobody else records */
    struct slow *slow;
    struct slow_part *part; /* NULL: the request's own, or one too many */
    struct bp_arena *arena;
    unsigned depth;
};

static struct span *of(struct bp_trace_span *base)
{
    return (struct span *)(void *)base; /* its first member */
}

static const struct bp_tracer_vtable vtable;

static void name_part(struct slow_part *part, bp_str name)
{
    (void)snprintf(part->name, sizeof(part->name), "%" BP_STR_FMT, BP_STR_ARG(name));
}

static struct bp_trace_span *begin(struct bp_trace_span *parent, bp_str name, enum bp_trace_kind kind, bp_time began)
{
    struct span *outer = of(parent), *span = bp_arena_alloc(outer->arena, sizeof(*span));
    if (!span)
        return NULL;
    *span = (struct span){
        .base = {.tracer = &vtable, .context = parent->context, .recording = true},
        .slow = outer->slow,
        .arena = outer->arena,
        .depth = outer->depth + 1,
    };
    if (outer->inner)
        span->inner = outer->inner->tracer->begin(outer->inner, name, kind, began);
    if (span->inner)
        span->base.context = span->inner->context;
    if (span->slow->count < SLOW_PARTS)
        span->part = bp_arena_alloc(span->arena, sizeof(*span->part));
    if (!span->part) {
        span->slow->lost++;
        return &span->base;
    }
    *span->part = (struct slow_part){.began = began, .depth = span->depth};
    name_part(span->part, name);
    *span->slow->end = span->part;
    span->slow->end = &span->part->next;
    span->slow->count++;
    return &span->base;
}

/* The core asks the configured tracer for these, never a span of ours. */
static struct bp_trace_span *root(void *self, const struct bp_trace_context *parent, bp_str name,
                                  enum bp_trace_kind kind, bp_time began)
{
    (void)self;
    (void)parent;
    (void)name;
    (void)kind;
    (void)began;
    return NULL;
}

static void end(struct bp_trace_span *base, bp_time ended)
{
    struct span *span = of(base);
    if (span->part)
        span->part->ended = ended;
    if (span->inner)
        span->inner->tracer->end(span->inner, ended);
}

static void rename_span(struct bp_trace_span *base, bp_str name)
{
    struct span *span = of(base);
    if (span->part)
        name_part(span->part, name);
    if (span->inner)
        span->inner->tracer->rename(span->inner, name);
}

static void text(struct bp_trace_span *base, const char *key, bp_str value, bool borrowed)
{
    struct span *span = of(base);
    if (span->part && strcmp(key, "db.query.text") == 0) {
        value = bp_utf8_cut(value, SLOW_QUERY);
        span->part->query = borrowed ? value : bp_arena_copy(span->arena, value);
    }
    if (span->inner)
        span->inner->tracer->text(span->inner, key, value, borrowed);
}

static void integer(struct bp_trace_span *base, const char *key, int64_t value)
{
    struct span *span = of(base);
    if (span->inner)
        span->inner->tracer->integer(span->inner, key, value);
}

static void boolean(struct bp_trace_span *base, const char *key, bool value)
{
    struct span *span = of(base);
    if (span->inner)
        span->inner->tracer->boolean(span->inner, key, value);
}

static void error(struct bp_trace_span *base, const char *type)
{
    struct span *span = of(base);
    if (span->inner)
        span->inner->tracer->error(span->inner, type);
}

static void add_link(struct bp_trace_span *base, const struct bp_trace_context *context)
{
    struct span *span = of(base);
    if (span->inner)
        span->inner->tracer->link(span->inner, context);
}

static const struct bp_tracer_vtable vtable = {
    .size = sizeof(vtable),
    .begin = begin,
    .root = root,
    .end = end,
    .rename = rename_span,
    .text = text,
    .integer = integer,
    .boolean = boolean,
    .error = error,
    .link = add_link,
};

/* Without a tracer: the caller's trace goes on, or one begins, so that lines and spans elsewhere can be told to belong together. */
static void make_context(struct bp_request *rq, struct bp_trace_context *ret_context)
{
    bp_uuid trace_id = bp_uuid_new(), span_id = bp_uuid_new();
    if (!bp_trace_parent_parse(bp_request_header(rq, BP_STR("traceparent")), ret_context)) {
        *ret_context = (struct bp_trace_context){0};
        memcpy(ret_context->trace_id, &trace_id, sizeof(ret_context->trace_id));
    }
    memcpy(ret_context->span_id, (const char *)&span_id + sizeof(span_id) - sizeof(ret_context->span_id),
           sizeof(ret_context->span_id));
}

int slow_next(struct bp_request *rq, struct slow **ret_slow)
{
    struct bp_arena *arena = bp_arena(rq);
    struct span *span = bp_arena_alloc(arena, sizeof(*span));
    struct slow *slow = bp_arena_alloc(arena, sizeof(*slow));
    if (!span || !slow)
        return bp_next(rq);
    *slow = (struct slow){.began = bp_clock(), .end = &slow->parts};
    *span = (struct span){
        .base = {.tracer = &vtable, .recording = true}, .inner = bp_trace_active(), .slow = slow, .arena = arena};
    if (!bp_trace_current(&span->base.context))
        make_context(rq, &span->base.context);
    *ret_slow = slow;
    bp_trace_enter(rq, &span->base, &span->base.context);
    int status = bp_next(rq);
    bp_trace_leave(rq, &span->base);
    return status;
}
