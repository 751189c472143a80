/* SPDX-License-Identifier: MIT */
#include "core/metric/reading.h"

#include "core/supervisor/shared.h"

static void add(const struct bp_metric *metric, const metric_cell *cells, uint32_t count, struct reading *reading)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = atomic_load_explicit(&cells[i], memory_order_relaxed), *total = &reading->cells[i];
        if (metric->def.aggregate == BP_METRIC_SUM)
            *total += value;
        else if (value > *total)
            *total = value;
    }
    if (metric->def.type == BP_HISTOGRAM) {
        int64_t bits = atomic_load_explicit(&cells[count], memory_order_relaxed);
        double sum;
        memcpy(&sum, &bits, sizeof(sum));
        reading->sum += sum;
    }
}

void reading_take(const struct bp_metric *metric, uint32_t series, struct reading *ret_reading)
{
    struct metric_region *region = metric->region;
    uint32_t count = metric->def.type == BP_HISTOGRAM ? metric_bucket_cells(region) : 1;

    *ret_reading = (struct reading){0};
    for (unsigned first = 0; first < BP_WORKER_SLOTS; first += 64)
        for (uint64_t slots = atomic_load_explicit(&region->slots[first / 64], memory_order_relaxed); slots;
             slots &= slots - 1) {
            unsigned slot = first + (unsigned)__builtin_ctzll(slots);
            add(metric, metric_series_cells(region, metric_region_block(region, slot), series), count, ret_reading);
        }
}

bool reading_is_shown(const struct bp_metric *metric, uint32_t series, const struct reading *reading)
{
    if (series > 0 || metric->region->label_count == 0)
        return true;
    for (uint32_t i = 0; i < READING_CELLS; i++)
        if (reading->cells[i] != 0)
            return true;
    return false;
}

static void read_exemplars(struct metric_region *region, uint32_t series,
                           struct bp_metric_exemplar ret_exemplars[READING_CELLS])
{
    for (uint32_t i = 0; i < metric_bucket_cells(region); i++) {
        const struct metric_exemplar *place = metric_region_exemplar(region, series, i);
        struct exemplar found = {.date = 0};
        if (!place || !exemplar_load(place, &found))
            found.date = 0;
        ret_exemplars[i].value = found.value;
        ret_exemplars[i].date = found.date;
        memcpy(ret_exemplars[i].trace_id, found.trace_id, sizeof(found.trace_id));
        memcpy(ret_exemplars[i].span_id, found.span_id, sizeof(found.span_id));
    }
}

static void visit_metric(const struct bp_metric *metric, bp_metric_visitor *visit, void *argument)
{
    struct metric_region *region = metric->region;
    uint32_t count = atomic_load_explicit(&region->count, memory_order_acquire);
    struct bp_metric_exemplar exemplars[READING_CELLS];
    struct reading reading;

    for (uint32_t series = 0; series < count; series++) {
        reading_take(metric, series, &reading);
        if (!reading_is_shown(metric, series, &reading))
            continue;
        struct bp_metric_reading seen = {.size = sizeof(seen),
                                         .overflow = series == 0 && region->label_count > 0,
                                         .def = &metric->def,
                                         .label_count = series > 0 ? region->label_count : 0,
                                         .sum = reading.sum};
        const struct metric_text *text = metric_region_text(region, series);
        for (uint32_t i = 0; i < seen.label_count; i++)
            seen.labels[i] = bp_str_n(text->bytes[i], text->lens[i]);
        if (metric->def.type == BP_HISTOGRAM)
            seen.buckets = reading.cells;
        else
            seen.value = reading.cells[0];
        if (region->exemplars_at) {
            read_exemplars(region, series, exemplars);
            seen.exemplars = exemplars;
        }
        visit(argument, &seen);
    }
}

void bp_metrics_each(bp_metric_visitor *visit, void *argument)
{
    if (!shared_current())
        return;
    for (struct bp_metric *metric = metrics_first(shared_current()); metric; metric = metrics_next(metric))
        if (metric->region)
            visit_metric(metric, visit, argument);
}
