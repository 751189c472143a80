/* SPDX-License-Identifier: MIT */
/* OTLP's JSON: names in camel case, identifiers in hex, 64-bit numbers as texts. */
#ifndef TRACING_JSON_H
#define TRACING_JSON_H

#include "otlp.h"

void json_literal(struct bytes *out, const char *text);
/* The text is UTF-8. */
void json_string(struct bytes *out, bp_str text);
/* 127 bytes at most. */
__attribute__((format(printf, 2, 3))) void json_format(struct bytes *out, const char *format, ...);
void json_double(struct bytes *out, double value);
/* "attributes":[…] */
void json_attributes(struct bytes *out, const struct attribute *attribute);
/* "traceId":"…","spanId":"…" */
void json_identifiers(struct bytes *out, const struct bp_trace_context *context);

/* The functions of struct otlp_encoder that are elsewhere. */
void json_metric_begin(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *ret_open);
void json_point(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open,
                const struct otlp_point *point);
void json_metric_end(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open);
void json_log(struct bytes *out, const struct otlp_log *log);

#endif
