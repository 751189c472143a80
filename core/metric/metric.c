/* SPDX-License-Identifier: MIT */
#include "core/metric/metric.h"

#include <stdio.h>
#include <stdlib.h>

#include "backplane/plugin.h"
#include "core/plugin/assembly.h"
#include "core/supervisor/shared.h"

#define REGION_PREFIX "metric:"
#define MAX_SERIES 100000u

static struct bp_metric *registry;

static bool is_name(const char *text, bool colons)
{
    if (!text || !*text || (*text >= '0' && *text <= '9'))
        return false;
    for (; *text; text++)
        if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') ||
              *text == '_' || (colons && *text == ':')))
            return false;
    return true;
}

static const char *malformed(const struct bp_metric_def *def)
{
    if (!is_name(def->name, true) || strlen(def->name) + sizeof(REGION_PREFIX) > SHARED_NAME_MAX)
        return "its name is not one of Prometheus";
    if (!def->help)
        return "it has no help text";
    if (def->type != BP_COUNTER && def->type != BP_GAUGE && def->type != BP_HISTOGRAM)
        return "it has no known type";
    if (def->aggregate > BP_METRIC_MAX || (def->aggregate != BP_METRIC_SUM && def->type != BP_GAUGE))
        return "only a gauge can be the largest of what workers say";
    if (def->exemplars > (def->type == BP_HISTOGRAM))
        return "exemplars are kept of histograms only";
    if (def->unit && !metric_unit_fits(def, def->unit))
        return "its name does not end in its unit";
    if (def->max_series > MAX_SERIES)
        return "it wants too many series";
    for (unsigned i = 0; i < BP_METRIC_LABELS && def->labels[i]; i++)
        if (!is_name(def->labels[i], false) || strcmp(def->labels[i], "le") == 0)
            return "one of its labels has no name of Prometheus";
    if ((def->type == BP_HISTOGRAM) != (def->bucket_count > 0) || def->bucket_count > METRIC_BUCKETS_MAX ||
        (def->bucket_count > 0 && !def->buckets))
        return "buckets belong to a histogram, from 1 to 64";
    for (uint32_t i = 1; i < def->bucket_count; i++)
        if (!(def->buckets[i - 1] < def->buckets[i]))
            return "its buckets do not ascend";
    return NULL;
}

static bool same(const struct bp_metric_def *a, const struct bp_metric_def *b)
{
    return a->type == b->type && a->aggregate == b->aggregate && metric_region_size(a) == metric_region_size(b) &&
           metric_region_version(a) == metric_region_version(b);
}

struct bp_metric *metrics_first(const struct shared *shared)
{
    struct bp_metric *metric = registry;
    while (metric && metric->shared != shared)
        metric = metric->next;
    return metric;
}

struct bp_metric *metrics_next(const struct bp_metric *metric)
{
    const struct shared *shared = metric->shared;
    struct bp_metric *next = metric->next;
    while (next && next->shared != shared)
        next = next->next;
    return next;
}

struct bp_metric *metric_new(struct shared *shared, const struct bp_metric_def *def, const char **ret_error)
{
    struct bp_metric_def copy = {0};
    struct bp_metric *metric, **tail = &registry;

    if (def->size < offsetof(struct bp_metric_def, aggregate)) {
        *ret_error = "its size field is too small";
        return NULL;
    }
    memcpy(&copy, def, def->size < sizeof(copy) ? def->size : sizeof(copy));
    *ret_error = malformed(&copy);
    if (*ret_error)
        return NULL;
    for (metric = metrics_first(shared); metric; metric = metrics_next(metric)) {
        if (strcmp(metric->def.name, copy.name) != 0)
            continue;
        if (same(&metric->def, &copy))
            return metric;
        *ret_error = "another plugin defines the same name differently";
        return NULL;
    }

    metric = calloc(1, sizeof(*metric));
    if (metric)
        metric->nowhere.cells = calloc(copy.bucket_count + 2, sizeof(metric_cell));
    if (!metric || !metric->nowhere.cells) {
        free(metric);
        *ret_error = "out of memory";
        return NULL;
    }
    metric->shared = shared;
    metric->def = copy;
    metric->nowhere.metric = metric;
    while (*tail)
        tail = &(*tail)->next;
    *tail = metric;
    return metric;
}

struct bp_metric *bp_metric_new(struct bp_host *host, const struct bp_metric_def *def)
{
    const char *error;
    struct bp_metric *metric = metric_new(host->assembly->shared, def, &error);
    if (metric && !metric->plugin)
        metric->plugin = host->plugin.name;
    if (!metric)
        (void)bp_config_error(host, NULL, "the metric \"%s\" is refused: %s",
                              def->size > 0 && def->name ? def->name : "", error);
    return metric;
}

struct metric_region *metric_region(struct bp_metric *metric)
{
    char name[SHARED_NAME_MAX + 1];

    if (metric->region)
        return metric->region;
    (void)snprintf(name, sizeof(name), REGION_PREFIX "%s", metric->def.name);
    struct metric_region *region = shared_region(metric->shared, name, metric_region_version(&metric->def),
                                                 metric_region_size(&metric->def), NULL);
    if (!region)
        return NULL;
    metric_region_prepare(region, &metric->def);
    metric->region = region;
    return region;
}

static bool attach(struct bp_metric *metric)
{
    struct metric_region *region = metric_region(metric);
    if (!region)
        return false;
    struct bp_series *series = calloc(region->capacity, sizeof(*series));
    if (!series)
        return false;
    metric_cell *block = metric_region_cells(region, shared_slot(metric->shared));
    for (uint32_t i = 0; i < region->capacity; i++) {
        series[i].metric = metric;
        series[i].cells = metric_series_cells(region, block, i);
    }
    metric->series = series;
    return true;
}

void metrics_attach(struct shared *shared)
{
    for (struct bp_metric *metric = metrics_first(shared); metric; metric = metrics_next(metric))
        if (!metric->series)
            (void)attach(metric);
}

static void reap_region(const char *name, void *memory, size_t size, void *argument)
{
    if (strncmp(name, REGION_PREFIX, sizeof(REGION_PREFIX) - 1) == 0)
        metric_region_reap(memory, size, *(const unsigned *)argument);
}

void metrics_reap(struct shared *shared, unsigned slot)
{
    shared_each(shared, reap_region, &slot);
}

void metrics_forget(const struct shared *shared)
{
    for (struct bp_metric **at = &registry, *metric = registry; metric; metric = *at) {
        if (metric->shared != shared) {
            at = &metric->next;
            continue;
        }
        *at = metric->next;
        free((void *)metric->nowhere.cells);
        free(metric->series);
        free(metric);
    }
}

void metrics_forget_places(const struct shared *shared)
{
    for (struct bp_metric *metric = metrics_first(shared); metric; metric = metrics_next(metric)) {
        free(metric->series);
        metric->series = NULL;
    }
}

struct bp_series *bp_series(struct bp_metric *metric, const bp_str *labels)
{
    if (!metric->series && !attach(metric))
        return &metric->nowhere;
    return &metric->series[metric_region_series(metric->region, labels)];
}

void bp_metric_add(struct bp_series *series, int64_t amount)
{
    uint32_t type = series->metric->def.type;
    if (type == BP_GAUGE || (type == BP_COUNTER && amount > 0))
        atomic_fetch_add_explicit(&series->cells[0], amount, memory_order_relaxed);
}

void bp_metric_set(struct bp_series *gauge, int64_t value)
{
    if (gauge->metric->def.type == BP_GAUGE)
        atomic_store_explicit(&gauge->cells[0], value, memory_order_relaxed);
}

/* The bucket that it went to; -1: none. */
static int observe(struct bp_series *histogram, double value)
{
    const struct bp_metric_def *def = &histogram->metric->def;
    uint32_t bucket = 0;

    if (def->type != BP_HISTOGRAM || value != value)
        return -1;
    while (bucket < def->bucket_count && value > def->buckets[bucket])
        bucket++;
    atomic_fetch_add_explicit(&histogram->cells[bucket], 1, memory_order_relaxed);

    metric_cell *sum = &histogram->cells[def->bucket_count + 1];
    int64_t old = atomic_load_explicit(sum, memory_order_relaxed), new;
    double total;
    do {
        memcpy(&total, &old, sizeof(total));
        total += value;
        memcpy(&new, &total, sizeof(new));
    } while (!atomic_compare_exchange_weak_explicit(sum, &old, new, memory_order_relaxed, memory_order_relaxed));
    return (int)bucket;
}

void bp_metric_observe(struct bp_series *histogram, double value)
{
    (void)observe(histogram, value);
}

void bp_metric_observe_traced(struct bp_series *histogram, double value, const struct bp_trace_context *context,
                              bp_date date)
{
    const struct bp_metric *metric = histogram->metric;
    int bucket = observe(histogram, value);

    if (bucket < 0 || !context || !(context->flags & BP_TRACE_SAMPLED) || !metric->region || !metric->series)
        return;
    struct metric_exemplar *place =
        metric_region_exemplar(metric->region, (uint32_t)(histogram - metric->series), (uint32_t)bucket);
    if (!place)
        return;
    struct exemplar exemplar = {.value = value, .date = date};
    memcpy(exemplar.trace_id, context->trace_id, sizeof(exemplar.trace_id));
    memcpy(exemplar.span_id, context->span_id, sizeof(exemplar.span_id));
    exemplar_store(place, &exemplar);
}
