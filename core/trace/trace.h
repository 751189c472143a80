/* SPDX-License-Identifier: MIT */
/* Spans and the fibers that they are on. */
#ifndef CORE_TRACE_TRACE_H
#define CORE_TRACE_TRACE_H

#include "backplane/trace.h"

struct assembly;
struct bp_fiber;
struct trace_frame;

/* What a fiber knows of its trace: a part of it. */
struct fiber_trace {
    struct bp_trace_span *span; /* the current one; NULL: none */
    struct trace_frame *frame;  /* of the stage that runs; NULL: none runs, or nothing records */
};

/* A stage that is running. When it first waits, or begins a span itself, a span begins; most do neither, and cost no look at a clock. Before bp_next(), and after
 * it, each on its own. */
struct trace_frame {
    struct trace_frame *outer;
    struct fiber_trace *trace;
    bp_str name;
    const char *plugin;
    struct bp_trace_span *span; /* NULL: not yet */
};

/* In the worker, before the first start and after the last stop: whose tracer is used. */
void trace_start(const struct assembly *assembly);
void trace_stop(void);

/* Around the call of a stage, on its fiber, while the request records. */
void trace_frame_begin(struct trace_frame *frame, struct fiber_trace *trace, bp_str name, const char *plugin);
void trace_frame_end(struct trace_frame *frame);
/* Around the call of what has no frame, a handler: the stage's, to come back to; may be NULL. */
struct trace_frame *trace_frame_leave(struct fiber_trace *trace);
void trace_frame_return(struct fiber_trace *trace, struct trace_frame *frame);
/* The stage of this frame waits, or does something worth a span. */
void trace_frame_show(struct trace_frame *frame);

/* Makes span the current one. */
void trace_push(struct fiber_trace *trace, struct bp_trace_span *span);

#endif
