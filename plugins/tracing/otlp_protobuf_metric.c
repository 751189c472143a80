/* SPDX-License-Identifier: MIT */
/* Metric, NumberDataPoint, HistogramDataPoint and Exemplar of metrics/v1. */
#include "protobuf.h"

enum { CUMULATIVE = 2 };
static const unsigned data_field[] = {[OTLP_GAUGE] = 5, [OTLP_SUM] = 7, [OTLP_UP_DOWN] = 7, [OTLP_HISTOGRAM] = 9};

void protobuf_metric_begin(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *ret_open)
{
    ret_open->metric = protobuf_begin(out, 2);
    protobuf_text(out, 1, metric->name);
    protobuf_text(out, 2, metric->description);
    protobuf_text(out, 3, metric->unit);
    ret_open->data = protobuf_begin(out, data_field[metric->kind]);
    ret_open->any = false;
}

void protobuf_metric_end(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open)
{
    if (metric->kind != OTLP_GAUGE)
        protobuf_integer(out, 2, CUMULATIVE);
    if (metric->kind == OTLP_SUM)
        protobuf_integer(out, 3, true);
    protobuf_end(out, open->data);
    protobuf_end(out, open->metric);
}

static void add_number(struct bytes *out, const struct otlp_metric *metric, const struct otlp_point *point)
{
    double scale = point->reading->def->scale;
    if (metric->kind != OTLP_GAUGE)
        protobuf_fixed(out, 2, (uint64_t)point->began, 8);
    protobuf_fixed(out, 3, (uint64_t)point->now, 8);
    if (scale == 0 || scale == 1)
        protobuf_fixed(out, 6, (uint64_t)point->reading->value, 8);
    else
        protobuf_double(out, 4, (double)point->reading->value * scale);
    protobuf_attributes(out, 7, point->attributes);
}

static void add_exemplar(struct bytes *out, const struct bp_metric_exemplar *exemplar)
{
    if (exemplar->date == 0)
        return;
    size_t begin = protobuf_begin(out, 8);
    protobuf_fixed(out, 2, (uint64_t)exemplar->date * 1000000, 8);
    protobuf_double(out, 3, exemplar->value);
    protobuf_text(out, 4, bp_str_n((const char *)exemplar->span_id, sizeof(exemplar->span_id)));
    protobuf_text(out, 5, bp_str_n((const char *)exemplar->trace_id, sizeof(exemplar->trace_id)));
    protobuf_end(out, begin);
}

static void add_histogram(struct bytes *out, const struct otlp_point *point)
{
    const struct bp_metric_reading *reading = point->reading;
    uint32_t bounds = reading->def->bucket_count;
    uint64_t count = 0;
    for (uint32_t i = 0; i <= bounds; i++)
        count += (uint64_t)reading->buckets[i];
    protobuf_fixed(out, 2, (uint64_t)point->began, 8);
    protobuf_fixed(out, 3, (uint64_t)point->now, 8);
    protobuf_fixed(out, 4, count, 8);
    protobuf_double(out, 5, reading->sum);
    size_t packed = protobuf_begin(out, 6);
    for (uint32_t i = 0; i <= bounds; i++)
        protobuf_fixed64(out, (uint64_t)reading->buckets[i]);
    protobuf_end(out, packed);
    packed = protobuf_begin(out, 7);
    for (uint32_t i = 0; i < bounds; i++)
        protobuf_fixed64(out, protobuf_bits(reading->def->buckets[i]));
    protobuf_end(out, packed);
    for (uint32_t i = 0; reading->exemplars && i <= bounds; i++)
        add_exemplar(out, &reading->exemplars[i]);
    protobuf_attributes(out, 9, point->attributes);
}

void protobuf_point(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open,
                    const struct otlp_point *point)
{
    size_t begin = protobuf_begin(out, 1);
    if (metric->kind == OTLP_HISTOGRAM)
        add_histogram(out, point);
    else
        add_number(out, metric, point);
    protobuf_end(out, begin);
    open->any = true;
}
