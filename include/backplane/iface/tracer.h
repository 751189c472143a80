/* SPDX-License-Identifier: MIT */
/*
 * The "tracer" interface, version 1: who decides what is recorded, keeps it, and hands it on. Provided by tracing; called by the core
 * (backplane/trace.h), never by plugins. All on the worker's thread; no function suspends.
 */
#ifndef BACKPLANE_IFACE_TRACER_H
#define BACKPLANE_IFACE_TRACER_H

#include "backplane/clock.h"
#include "backplane/plugin.h"
#include "backplane/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_TRACER "tracer"
#define BP_TRACER_VERSION 1u

struct bp_tracer_vtable;

/* Each of a tracer's spans begins with it: what the core reads without asking. */
struct bp_trace_span {
    const struct bp_tracer_vtable *tracer;
    struct bp_trace_span *outer; /* the core's: what is current again when this one ends */
    struct bp_trace_context context;
    bool recording; /* false: only the context counts, and none of the functions below is called for it */
};

/* Begins with its size. Spans and texts are as in backplane/trace.h; all may drop what they have no room for, in silence and counted. */
struct bp_tracer_vtable {
    uint32_t size;
    uint32_t spare;
    /* A part of parent, which records. NULL: no room. name is copied. */
    struct bp_trace_span *(*begin)(struct bp_trace_span *parent, bp_str name, enum bp_trace_kind kind, bp_time began);
    /* Of no request. parent may be NULL. NULL: not recorded. */
    struct bp_trace_span *(*root)(void *self, const struct bp_trace_context *parent, bp_str name,
                                  enum bp_trace_kind kind, bp_time began);
    void (*end)(struct bp_trace_span *span, bp_time ended);
    void (*rename)(struct bp_trace_span *span, bp_str name);
    void (*text)(struct bp_trace_span *span, const char *key, bp_str value, bool borrowed);
    void (*integer)(struct bp_trace_span *span, const char *key, int64_t value);
    void (*boolean)(struct bp_trace_span *span, const char *key, bool value);
    void (*error)(struct bp_trace_span *span, const char *type);
    void (*link)(struct bp_trace_span *span, const struct bp_trace_context *context);
};

/* In a tracer's stage: makes span the current one of the request's fiber until bp_trace_leave(), and context, which is also that of the span, the
 * request's own (bp_request_trace()): it must live as long as the request does. */
void bp_trace_enter(struct bp_request *rq, struct bp_trace_span *span, const struct bp_trace_context *context);
void bp_trace_leave(struct bp_request *rq, struct bp_trace_span *span);

#ifdef __cplusplus
}
#endif
#endif
