/* SPDX-License-Identifier: MIT */
#include "backplane/iface/tracer.h"
#include "core/trace/trace.h"

/* What comes behind bp_next() is no part of the stage, nor is what that does after it of what it did before. */
static void pause(struct trace_frame *frame)
{
    if (frame->span)
        bp_trace_end(frame->span);
    frame->span = NULL;
}

struct trace_frame *trace_frame_leave(struct fiber_trace *trace)
{
    struct trace_frame *frame = trace->frame;
    if (frame)
        pause(frame);
    trace->frame = NULL;
    return frame;
}

void trace_frame_return(struct fiber_trace *trace, struct trace_frame *frame)
{
    trace->frame = frame;
}

void trace_frame_begin(struct trace_frame *frame, struct fiber_trace *trace, bp_str name, const char *plugin)
{
    *frame = (struct trace_frame){.outer = trace_frame_leave(trace), .trace = trace, .name = name, .plugin = plugin};
    trace->frame = frame;
}

void trace_frame_end(struct trace_frame *frame)
{
    pause(frame);
    trace_frame_return(frame->trace, frame->outer);
}

void trace_frame_show(struct trace_frame *frame)
{
    struct bp_trace_span *parent = frame->trace->span;
    if (frame->span || !parent || !parent->recording)
        return;
    frame->span = parent->tracer->begin(parent, frame->name, BP_TRACE_INTERNAL, bp_clock());
    if (!frame->span)
        return;
    trace_push(frame->trace, frame->span);
    bp_trace_text_borrow(frame->span, "backplane.plugin", bp_str_of(frame->plugin));
}
