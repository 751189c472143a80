/* SPDX-License-Identifier: MIT */
/* LogRecord of logs/v1. */
#include "protobuf.h"

void protobuf_log(struct bytes *out, const struct otlp_log *log)
{
    size_t begin = protobuf_begin(out, 2);
    protobuf_fixed(out, 1, (uint64_t)log->date, 8);
    protobuf_integer(out, 2, log->severity);
    protobuf_text(out, 3, bp_str_of(log->severity_text));
    size_t body = protobuf_begin(out, 5);
    protobuf_text(out, 1, log->body);
    protobuf_end(out, body);
    protobuf_attributes(out, 6, log->attributes);
    if (log->trace) {
        protobuf_fixed(out, 8, log->trace->flags, 4);
        protobuf_text(out, 9, bp_str_n((const char *)log->trace->trace_id, sizeof(log->trace->trace_id)));
        protobuf_text(out, 10, bp_str_n((const char *)log->trace->span_id, sizeof(log->trace->span_id)));
    }
    protobuf_fixed(out, 11, (uint64_t)log->date, 8);
    protobuf_end(out, begin);
}
