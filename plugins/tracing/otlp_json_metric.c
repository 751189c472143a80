/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>

static const char *const data_name[] = {
    [OTLP_GAUGE] = "gauge", [OTLP_SUM] = "sum", [OTLP_UP_DOWN] = "sum", [OTLP_HISTOGRAM] = "histogram"};

void json_metric_begin(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *ret_open)
{
    json_literal(out, "{\"name\":");
    json_string(out, metric->name);
    json_literal(out, ",\"description\":");
    json_string(out, metric->description);
    json_literal(out, ",\"unit\":");
    json_string(out, metric->unit);
    json_format(out, ",\"%s\":{\"dataPoints\":[", data_name[metric->kind]);
    ret_open->any = false;
}

void json_metric_end(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open)
{
    (void)open;
    bytes_add_char(out, ']');
    if (metric->kind != OTLP_GAUGE)
        json_literal(out, ",\"aggregationTemporality\":2");
    if (metric->kind == OTLP_SUM)
        json_literal(out, ",\"isMonotonic\":true");
    json_literal(out, "}}");
}

static void add_exemplars(struct bytes *out, const struct bp_metric_exemplar *exemplars, uint32_t count)
{
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        struct bp_trace_context context;
        if (exemplars[i].date == 0)
            continue;
        memcpy(context.trace_id, exemplars[i].trace_id, sizeof(context.trace_id));
        memcpy(context.span_id, exemplars[i].span_id, sizeof(context.span_id));
        json_literal(out, any ? ",{" : ",\"exemplars\":[{");
        json_identifiers(out, &context);
        json_format(out, ",\"timeUnixNano\":\"%" PRId64 "000000\",\"asDouble\":", exemplars[i].date);
        json_double(out, exemplars[i].value);
        bytes_add_char(out, '}');
        any = true;
    }
    if (any)
        bytes_add_char(out, ']');
}

static void add_histogram(struct bytes *out, const struct bp_metric_reading *reading)
{
    uint32_t bounds = reading->def->bucket_count;
    int64_t count = 0;
    for (uint32_t i = 0; i <= bounds; i++)
        count += reading->buckets[i];
    json_format(out, ",\"count\":\"%" PRId64 "\",\"sum\":", count);
    json_double(out, reading->sum);
    json_literal(out, ",\"bucketCounts\":[");
    for (uint32_t i = 0; i <= bounds; i++)
        json_format(out, "%s\"%" PRId64 "\"", i > 0 ? "," : "", reading->buckets[i]);
    json_literal(out, "],\"explicitBounds\":[");
    for (uint32_t i = 0; i < bounds; i++) {
        if (i > 0)
            bytes_add_char(out, ',');
        json_double(out, reading->def->buckets[i]);
    }
    bytes_add_char(out, ']');
    if (reading->exemplars)
        add_exemplars(out, reading->exemplars, bounds + 1);
}

void json_point(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open,
                const struct otlp_point *point)
{
    double scale = point->reading->def->scale;
    json_literal(out, open->any ? ",{" : "{");
    open->any = true;
    json_attributes(out, point->attributes);
    if (metric->kind != OTLP_GAUGE)
        json_format(out, ",\"startTimeUnixNano\":\"%" PRId64 "\"", point->began);
    json_format(out, ",\"timeUnixNano\":\"%" PRId64 "\"", point->now);
    if (metric->kind == OTLP_HISTOGRAM) {
        add_histogram(out, point->reading);
    } else if (scale == 0 || scale == 1) {
        json_format(out, ",\"asInt\":\"%" PRId64 "\"", point->reading->value);
    } else {
        json_literal(out, ",\"asDouble\":");
        json_double(out, (double)point->reading->value * scale);
    }
    bytes_add_char(out, '}');
}
