/* SPDX-License-Identifier: MIT */
/*
 * Spans, metrics and log lines as the OpenTelemetry protocol has them (OTLP 1.x, opentelemetry-proto: trace/v1, metrics/v1, logs/v1, common/v1,
 * resource/v1): as protobuf, or as JSON. Each is encoded when it is there; a request is what they have in common around them.
 */
#ifndef TRACING_OTLP_H
#define TRACING_OTLP_H

#include "backplane/log.h"
#include "backplane/metric.h"
#include "bytes.h"
#include "record.h"

/* Bits of the flags of spans and links, above those of the W3C. */
#define OTLP_HAS_IS_REMOTE 0x100u
#define OTLP_IS_REMOTE 0x200u

enum otlp_signal { OTLP_TRACES, OTLP_METRICS, OTLP_LOGS, OTLP_SIGNALS };

/* Who says it: encoded once. */
struct otlp_source {
    const struct attribute *resource;
    bp_str scope, version;
};

/* A counter, what goes up and down and can be added up, what cannot, a histogram. */
enum otlp_metric_kind { OTLP_SUM, OTLP_UP_DOWN, OTLP_GAUGE, OTLP_HISTOGRAM };

/* Texts are UTF-8. Sums and histograms are cumulative. */
struct otlp_metric {
    enum otlp_metric_kind kind;
    bp_str name, description, unit;
};

/* A series of a metric at a time, and since when it counts: nanoseconds since the Unix epoch. */
struct otlp_point {
    const struct bp_metric_reading *reading;
    const struct attribute *attributes;
    int64_t began, now;
};

/* A metric that is being written. */
struct otlp_open {
    size_t metric, data;
    bool any; /* it has a point */
};

/* OpenTelemetry's numbers of severities. */
struct otlp_log {
    int64_t date; /* nanoseconds since the Unix epoch */
    uint32_t severity;
    const char *severity_text;
    bp_str body;
    const struct attribute *attributes;
    const struct bp_trace_context *trace; /* NULL: none */
};

/* Each of the first functions appends one of the items of a request. */
struct otlp_encoder {
    const char *content_type;
    bp_str separator; /* of items */
    /* offset: nanoseconds from bp_clock() to the Unix epoch. */
    void (*span)(struct bytes *out, const struct span *span, int64_t offset);
    void (*metric_begin)(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *ret_open);
    void (*point)(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open,
                  const struct otlp_point *point);
    void (*metric_end)(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open);
    void (*log)(struct bytes *out, const struct otlp_log *log);
    /* An Export…ServiceRequest with these encoded items. */
    void (*request)(struct bytes *out, enum otlp_signal signal, const struct otlp_source *source, bp_str items);
    /* From an Export…ServiceResponse: how many spans, points or lines were refused (partial_success); 0 when it is anything else. */
    int64_t (*rejected)(enum otlp_signal signal, bp_str response);
};

extern const struct otlp_encoder otlp_protobuf, otlp_json;

#endif
