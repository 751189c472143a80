/* SPDX-License-Identifier: MIT */
/* The Prometheus text exposition format 0.0.4, and OpenMetrics 1.0, which differs in names, numbers of buckets, exemplars and its end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/arena.h"
#include "core/metric/reading.h"
#include "core/supervisor/shared.h"

#define NUMBER_MAX 32u

static const char *const type_names[] = {[BP_COUNTER] = "counter", [BP_GAUGE] = "gauge", [BP_HISTOGRAM] = "histogram"};

/* One metric that is being written. */
struct writer {
    struct buffer *out;
    bool open; /* OpenMetrics */
    const struct bp_metric *metric;
    bp_str name;          /* without the suffix that each sample has */
    struct buffer labels; /* of the series: a="x",b="y" */
    char bounds[READING_CELLS][NUMBER_MAX];
};

static void write_escaped(struct buffer *out, bp_str text, bool quotes)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            buffer_add(out, BP_STR("\\\\"));
        else if (text.ptr[i] == '\n')
            buffer_add(out, BP_STR("\\n"));
        else if (text.ptr[i] == '"' && quotes)
            buffer_add(out, BP_STR("\\\""));
        else
            buffer_add_char(out, text.ptr[i]);
    }
}

/* The shortest that reads back the same: 15 digits always do when a text of so many was meant. */
static void format_number(char text[NUMBER_MAX], double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, NUMBER_MAX, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
}

static void write_number(struct buffer *out, double value)
{
    char text[NUMBER_MAX];
    format_number(text, value);
    buffer_add(out, bp_str_of(text));
}

static void write_integer(struct buffer *out, int64_t value)
{
    char text[NUMBER_MAX], *at = text + sizeof(text);
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    buffer_add(out, bp_str_n(at, (size_t)(text + sizeof(text) - at)));
}

/* name_suffix{labels,le="…"} and a space */
static void write_name(const struct writer *writer, bp_str suffix, const char *bound)
{
    struct buffer *out = writer->out;
    buffer_add(out, writer->name);
    buffer_add(out, suffix);
    if (writer->labels.len > 0 || bound) {
        buffer_add_char(out, '{');
        buffer_add(out, buffer_str(&writer->labels));
        if (bound) {
            buffer_add(out, writer->labels.len > 0 ? BP_STR(",le=\"") : BP_STR("le=\""));
            buffer_add(out, bp_str_of(bound));
            buffer_add_char(out, '"');
        }
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ' ');
}

static void read_labels(struct writer *writer, uint32_t series)
{
    const struct bp_metric *metric = writer->metric;
    const struct metric_text *text = metric_region_text(metric->region, series);
    writer->labels.len = 0;
    for (uint32_t i = 0; i < metric->region->label_count; i++) {
        if (i > 0)
            buffer_add_char(&writer->labels, ',');
        buffer_add(&writer->labels, bp_str_of(metric->def.labels[i]));
        buffer_add(&writer->labels, BP_STR("=\""));
        write_escaped(&writer->labels, series == 0 ? BP_STR("_overflow") : bp_str_n(text->bytes[i], text->lens[i]),
                      true);
        buffer_add_char(&writer->labels, '"');
    }
}

static void write_exemplar(const struct writer *writer, uint32_t series, uint32_t bucket)
{
    const struct metric_exemplar *place = metric_region_exemplar(writer->metric->region, series, bucket);
    struct exemplar exemplar;
    struct bp_trace_context context = {0};
    char trace[BP_TRACE_ID_LEN], span[BP_TRACE_SPAN_ID_LEN];

    if (!place || !exemplar_load(place, &exemplar))
        return;
    memcpy(context.trace_id, exemplar.trace_id, sizeof(context.trace_id));
    memcpy(context.span_id, exemplar.span_id, sizeof(context.span_id));
    bp_trace_id_format(&context, trace);
    bp_trace_span_id_format(&context, span);
    buffer_add(writer->out, BP_STR(" # {trace_id=\""));
    buffer_add(writer->out, bp_str_n(trace, sizeof(trace)));
    buffer_add(writer->out, BP_STR("\",span_id=\""));
    buffer_add(writer->out, bp_str_n(span, sizeof(span)));
    buffer_add(writer->out, BP_STR("\"} "));
    write_number(writer->out, exemplar.value);
    buffer_printf(writer->out, " %" PRId64 ".%03" PRId64, exemplar.date / 1000, exemplar.date % 1000);
}

static void write_histogram(const struct writer *writer, uint32_t series, const struct reading *reading)
{
    uint32_t count = metric_bucket_cells(writer->metric->region);
    int64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += reading->cells[i];
        write_name(writer, BP_STR("_bucket"), writer->bounds[i]);
        write_integer(writer->out, total);
        if (writer->open)
            write_exemplar(writer, series, i);
        buffer_add_char(writer->out, '\n');
    }
    write_name(writer, BP_STR("_sum"), NULL);
    write_number(writer->out, reading->sum);
    buffer_add_char(writer->out, '\n');
    write_name(writer, BP_STR("_count"), NULL);
    write_integer(writer->out, total);
    buffer_add_char(writer->out, '\n');
}

static void write_value(const struct writer *writer, int64_t value)
{
    const struct bp_metric_def *def = &writer->metric->def;
    write_name(writer, writer->open && def->type == BP_COUNTER ? BP_STR("_total") : BP_STR(""), NULL);
    if (def->scale == 0 || def->scale == 1)
        write_integer(writer->out, value);
    else
        write_number(writer->out, (double)value * def->scale);
    buffer_add_char(writer->out, '\n');
}

static void write_head(const struct writer *writer)
{
    const struct bp_metric_def *def = &writer->metric->def;
    const char *unit = metric_unit(def);
    struct buffer *out = writer->out;
    buffer_printf(out, "# HELP %" BP_STR_FMT " ", BP_STR_ARG(writer->name));
    write_escaped(out, bp_str_of(def->help), writer->open);
    buffer_printf(out, "\n# TYPE %" BP_STR_FMT " %s\n", BP_STR_ARG(writer->name), type_names[def->type]);
    if (writer->open && unit)
        buffer_printf(out, "# UNIT %" BP_STR_FMT " %s\n", BP_STR_ARG(writer->name), unit);
}

/* OpenMetrics wants the bound of a bucket to look like no integer. */
static void format_bounds(struct writer *writer)
{
    const struct bp_metric_def *def = &writer->metric->def;
    for (uint32_t i = 0; i < def->bucket_count; i++) {
        format_number(writer->bounds[i], def->buckets[i]);
        if (writer->open && !strpbrk(writer->bounds[i], ".e"))
            strcat(writer->bounds[i], ".0");
    }
    memcpy(writer->bounds[def->bucket_count], "+Inf", sizeof("+Inf"));
}

static void write_metric(struct writer *writer)
{
    const struct bp_metric *metric = writer->metric;
    uint32_t count = atomic_load_explicit(&metric->region->count, memory_order_acquire);
    struct reading reading;

    writer->name = writer->open ? metric_family(&metric->def) : bp_str_of(metric->def.name);
    format_bounds(writer);
    write_head(writer);
    for (uint32_t series = 0; series < count; series++) {
        reading_take(metric, series, &reading);
        if (!reading_is_shown(metric, series, &reading))
            continue;
        read_labels(writer, series);
        if (metric->def.type == BP_HISTOGRAM)
            write_histogram(writer, series, &reading);
        else
            write_value(writer, reading.cells[0]);
    }
}

void metrics_write(const struct shared *shared, enum bp_metric_format format, struct buffer *out)
{
    struct writer writer = {.out = out, .open = format == BP_METRIC_OPENMETRICS};
    for (struct bp_metric *metric = metrics_first(shared); metric; metric = metrics_next(metric))
        if (metric_region(metric)) {
            writer.metric = metric;
            write_metric(&writer);
        }
    if (writer.open)
        buffer_add(out, BP_STR("# EOF\n"));
    out->failed |= writer.labels.failed;
    buffer_deinit(&writer.labels);
}

bp_str bp_metrics_render(struct bp_arena *arena, enum bp_metric_format format)
{
    struct buffer out = {0};
    bp_str text = {NULL, 0};

    if (shared_current())
        metrics_write(shared_current(), format, &out);
    if (!out.failed)
        text = bp_arena_copy(arena, buffer_str(&out));
    buffer_deinit(&out);
    return text;
}
