/* SPDX-License-Identifier: MIT */
#include "backplane/iface/tracer.h"
#include "core/trace/trace.h"

void trace_frame_begin(struct trace_frame *frame, struct fiber_trace *trace, bp_str name, const char *plugin)
{
    *frame = (struct trace_frame){
        .outer = trace->frame, .trace = trace, .name = name, .plugin = plugin, .began = bp_clock()};
    trace->frame = frame;
}

void trace_frame_show(struct trace_frame *frame)
{
    struct bp_trace_span *parent = frame->trace->span;
    if (frame->span || !parent || !parent->recording)
        return;
    frame->span = parent->tracer->begin(parent, frame->name, BP_TRACE_INTERNAL, frame->began);
    if (!frame->span)
        return;
    trace_push(frame->trace, frame->span);
    bp_trace_text_borrow(frame->span, "backplane.plugin", bp_str_of(frame->plugin));
}

void trace_frame_end(struct trace_frame *frame)
{
    frame->trace->frame = frame->outer;
    if (frame->span)
        bp_trace_end(frame->span);
}
