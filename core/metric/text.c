/* SPDX-License-Identifier: MIT */
/* The Prometheus text exposition format 0.0.4. */
#include <stdio.h>
#include <stdlib.h>

#include "backplane/arena.h"
#include "core/metric/metric.h"
#include "core/supervisor/shared.h"

static const char *const type_names[] = {[BP_COUNTER] = "counter", [BP_GAUGE] = "gauge", [BP_HISTOGRAM] = "histogram"};

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

/* The shortest that reads back the same. */
static void write_number(struct buffer *out, double value)
{
    char text[32];
    for (int digits = 6; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buffer_add(out, bp_str_of(text));
}

static void write_value(struct buffer *out, const struct bp_metric_def *def, int64_t value)
{
    if (def->scale == 0 || def->scale == 1)
        buffer_printf(out, " %lld\n", (long long)value);
    else {
        buffer_add_char(out, ' ');
        write_number(out, (double)value * def->scale);
        buffer_add_char(out, '\n');
    }
}

/* name_suffix{labels,le="…"} */
static void write_name(struct buffer *out, const struct bp_metric *metric, const char *suffix, uint32_t series,
                       const char *le)
{
    uint32_t labels = metric->region->label_count;

    buffer_add(out, bp_str_of(metric->def.name));
    buffer_add(out, bp_str_of(suffix));
    if (labels == 0 && !le)
        return;
    buffer_add_char(out, '{');
    for (uint32_t i = 0; i < labels; i++) {
        const struct metric_text *text = metric_region_text(metric->region, series);
        if (i > 0)
            buffer_add_char(out, ',');
        buffer_add(out, bp_str_of(metric->def.labels[i]));
        buffer_add(out, BP_STR("=\""));
        write_escaped(out, series == 0 ? BP_STR("_overflow") : bp_str_n(text->bytes[i], text->lens[i]), true);
        buffer_add_char(out, '"');
    }
    if (le) {
        buffer_add(out, labels > 0 ? BP_STR(",le=\"") : BP_STR("le=\""));
        buffer_add(out, bp_str_of(le));
        buffer_add_char(out, '"');
    }
    buffer_add_char(out, '}');
}

/* What a worker's slot has of a series; NULL when nobody uses the slot. */
static const metric_cell *cells_of(const struct metric_region *region, unsigned slot, uint32_t series)
{
    if (!(atomic_load_explicit(&region->slots, memory_order_relaxed) >> slot & 1))
        return NULL;
    const char *block = (const char *)region + region->cells_at + slot * region->slot_stride;
    return (const metric_cell *)(const void *)block + (size_t)series * region->cells;
}

static int64_t collect(const struct bp_metric *metric, uint32_t series, uint32_t cell)
{
    const struct metric_region *region = metric->region;
    int64_t total = 0;

    for (unsigned slot = 0; slot < BP_WORKER_SLOTS; slot++) {
        const metric_cell *cells = cells_of(region, slot, series);
        if (!cells)
            continue;
        int64_t value = atomic_load_explicit(&cells[cell], memory_order_relaxed);
        if (metric->def.aggregate == BP_METRIC_MAX)
            total = value > total ? value : total;
        else
            total += value;
    }
    return total;
}

static double collect_sum(const struct bp_metric *metric, uint32_t series)
{
    const struct metric_region *region = metric->region;
    double total = 0;

    for (unsigned slot = 0; slot < BP_WORKER_SLOTS; slot++) {
        const metric_cell *cells = cells_of(region, slot, series);
        if (!cells)
            continue;
        int64_t bits = atomic_load_explicit(&cells[region->cells - 1], memory_order_relaxed);
        double sum;
        memcpy(&sum, &bits, sizeof(sum));
        total += sum;
    }
    return total;
}

static void write_histogram(struct buffer *out, const struct bp_metric *metric, uint32_t series)
{
    int64_t count = 0;

    for (uint32_t i = 0; i < metric->def.bucket_count; i++) {
        struct buffer le = {0};
        write_number(&le, metric->def.buckets[i]);
        buffer_add_char(&le, '\0');
        count += collect(metric, series, i);
        write_name(out, metric, "_bucket", series, le.failed ? "" : le.ptr);
        buffer_printf(out, " %lld\n", (long long)count);
        buffer_deinit(&le);
    }
    count += collect(metric, series, metric->def.bucket_count);
    write_name(out, metric, "_bucket", series, "+Inf");
    buffer_printf(out, " %lld\n", (long long)count);
    write_name(out, metric, "_sum", series, NULL);
    buffer_add_char(out, ' ');
    write_number(out, collect_sum(metric, series));
    buffer_add_char(out, '\n');
    write_name(out, metric, "_count", series, NULL);
    buffer_printf(out, " %lld\n", (long long)count);
}

/* The overflow series of a metric with labels shows only when something went there. */
static bool is_shown(const struct bp_metric *metric, uint32_t series)
{
    if (series > 0 || metric->region->label_count == 0)
        return true;
    for (uint32_t cell = 0; cell < metric->region->cells; cell++)
        if (collect(metric, series, cell) != 0)
            return true;
    return false;
}

static void write_metric(struct buffer *out, const struct bp_metric *metric)
{
    uint32_t count = atomic_load_explicit(&metric->region->count, memory_order_acquire);

    buffer_printf(out, "# HELP %s ", metric->def.name);
    write_escaped(out, bp_str_of(metric->def.help), false);
    buffer_printf(out, "\n# TYPE %s %s\n", metric->def.name, type_names[metric->def.type]);
    for (uint32_t series = 0; series < count; series++) {
        if (!is_shown(metric, series))
            continue;
        if (metric->def.type == BP_HISTOGRAM)
            write_histogram(out, metric, series);
        else {
            write_name(out, metric, "", series, NULL);
            write_value(out, &metric->def, collect(metric, series, 0));
        }
    }
}

void metrics_write(const struct shared *shared, struct buffer *out)
{
    for (struct bp_metric *metric = metrics_first(shared); metric; metric = metrics_next(metric))
        if (metric_region(metric))
            write_metric(out, metric);
}

bp_str bp_metrics_render(struct bp_arena *arena)
{
    struct buffer out = {0};
    bp_str text = {NULL, 0};

    if (shared_current())
        metrics_write(shared_current(), &out);
    if (!out.failed)
        text = bp_arena_copy(arena, buffer_str(&out));
    buffer_deinit(&out);
    return text;
}
