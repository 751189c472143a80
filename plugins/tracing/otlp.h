/* SPDX-License-Identifier: MIT */
/*
 * Spans as the OpenTelemetry protocol has them (OTLP 1.x, opentelemetry-proto: trace/v1, common/v1, resource/v1): as protobuf, or as JSON. Each span is
 * encoded when its trace ends; a request is what they have in common around them. Other signals differ in what is inside only.
 */
#ifndef TRACING_OTLP_H
#define TRACING_OTLP_H

#include "bytes.h"
#include "record.h"

/* Bits of the flags of spans and links, above those of the W3C. */
#define OTLP_HAS_IS_REMOTE 0x100u
#define OTLP_IS_REMOTE 0x200u

/* Who says it: encoded once. */
struct otlp_source {
    const struct attribute *resource;
    bp_str scope, version;
};

struct otlp_encoder {
    const char *content_type;
    /* One of the spans of a request, behind those that are there. offset: nanoseconds from bp_clock() to the Unix epoch. */
    void (*span)(struct bytes *out, const struct span *span, int64_t offset);
    /* An ExportTraceServiceRequest with these encoded spans. */
    void (*request)(struct bytes *out, const struct otlp_source *source, bp_str spans);
    /* From an ExportTraceServiceResponse: how many spans were refused (partial_success); 0 when it is anything else. */
    int64_t (*rejected)(bp_str response);
};

extern const struct otlp_encoder otlp_protobuf, otlp_json;

#endif
