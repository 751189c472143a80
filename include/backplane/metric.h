/* SPDX-License-Identifier: MIT */
/*
 * Metrics: counters, gauges and histograms in shared memory. A reading from any worker is the sum over all of them and
 * never goes backwards. A metric without a plugin that exposes it (metrics) costs an add and nothing else. No function suspends.
 */
#ifndef BACKPLANE_METRIC_H
#define BACKPLANE_METRIC_H

#include "backplane/clock.h"
#include "backplane/str.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bp_host;

/* What only grows; what goes up and down; how often values fell into which bucket. */
enum bp_metric_type { BP_COUNTER = 1, BP_GAUGE, BP_HISTOGRAM };

#define BP_METRIC_LABELS 4

/* What a reading makes of the workers' values. */
enum bp_metric_aggregate {
    BP_METRIC_SUM,
    BP_METRIC_MAX /* gauges only: the largest; for what every worker says alike, a version, a time of start */
};

/* A metric, as a plugin defines it. Begins with its size; static const. */
struct bp_metric_def {
    uint32_t size;
    uint32_t type;    /* enum bp_metric_type */
    const char *name; /* Prometheus name with unit: "http_server_request_duration_seconds" */
    const char *help;
    const char *labels[BP_METRIC_LABELS]; /* names; NULL after the last */
    const double *buckets;                /* BP_HISTOGRAM: ascending upper bounds, without +Inf */
    uint32_t bucket_count;
    uint32_t max_series; /* label sets at most; 0: 200. What is beyond goes to one series whose labels
                                          are all "_overflow". */
    uint32_t aggregate;  /* enum bp_metric_aggregate */
    /* Counters and gauges: what one unit added is worth in the metric's unit (0.000001 for microseconds shown as seconds); 0: 1. */
    double scale;
    /* What the name ends in, before "_total": "seconds", "bytes", "ratio". NULL: that of these three which it ends in, or none. */
    const char *unit;
    uint32_t exemplars; /* BP_HISTOGRAM: 1: keeps what bp_metric_observe_traced() says */
    uint32_t spare;
};

/* A row of bp_plugin.metrics: a metric, and where in self the core writes the struct bp_metric * to, before init. Begins with its size.
 *
 *     static const struct bp_metric_row metrics[] = {
 *         BP_METRIC(struct todos, created, .type = BP_COUNTER, .name = "todos_created_total", .help = "Todos that were made."),
 *         BP_METRIC_END};
 */
struct bp_metric_row {
    uint32_t size;
    uint32_t offset;
    struct bp_metric_def def;
};
#ifndef __cplusplus
#define BP_METRIC(S, member, ...)                                                               \
    {                                                                                           \
        .size = sizeof(struct bp_metric_row), .offset = (uint32_t)offsetof(S, member), .def = { \
            .size = sizeof(struct bp_metric_def),                                               \
            __VA_ARGS__                                                                         \
        }                                                                                       \
    }
#define BP_METRIC_END \
    {                 \
        .size = 0     \
    }
#endif

/* Opaque: a metric, and one of its series (a metric with values for its labels). Both live as long as the process. */
struct bp_metric;
struct bp_series;

/* In init only, for what depends on options; else bp_plugin.metrics does it. The definition is borrowed. Two instances that define the same name share the metric. NULL when it is
 * malformed or contradicts an earlier one (reported as a configuration error). */
struct bp_metric *bp_metric_new(struct bp_host *host, const struct bp_metric_def *def);
/* The series of these label values (as many as the definition has labels), created on first use; the overflow series
 * when there are too many. Cheap enough for each request (one hash), but keep the pointer where the labels are constant.
 * Never NULL. Not in init: from start on. On the worker's thread. Values are cut at 96 bytes. */
struct bp_series *bp_series(struct bp_metric *metric, const bp_str *labels);
/* Adds to a counter, which only grows (an amount below 1 is ignored), or to a gauge, whose reading is the sum (or the largest) of what its workers
 * have there; what a worker has is zeroed when it dies. Thread-safe, never waits, as the next two. */
void bp_metric_add(struct bp_series *series, int64_t amount);
/* Gauges: what this worker has there. */
void bp_metric_set(struct bp_series *gauge, int64_t value);
/* Histograms: counts the value, given in the metric's unit (seconds). One that is no number is ignored. */
void bp_metric_observe(struct bp_series *histogram, double value);

/* The same, at this date, of work whose trace is context (bp_trace_current(), bp_request_trace()). When that is sampled, it is kept as the
 * exemplar of the bucket: an example to look at, which OpenMetrics shows. At most one a second and bucket is. context: may be NULL. */
struct bp_trace_context;
void bp_metric_observe_traced(struct bp_series *histogram, double value, const struct bp_trace_context *context,
                              bp_date date);

/* The Prometheus text format 0.0.4 ("text/plain; version=0.0.4; charset=utf-8"), and OpenMetrics 1.0 ("application/openmetrics-text;
 * version=1.0.0; charset=utf-8"), where a counter's family has no "_total", and exemplars are shown. */
enum bp_metric_format { BP_METRIC_TEXT, BP_METRIC_OPENMETRICS };

/* All metrics of this server, into a buffer of the arena. ptr NULL: out of memory. On the worker's thread, from start on. Does not suspend. */
struct bp_arena;
bp_str bp_metrics_render(struct bp_arena *arena, enum bp_metric_format format);

/* An example of what fell into a bucket; date 0: there is none. */
struct bp_metric_exemplar {
    uint8_t trace_id[16], span_id[8];
    double value;
    bp_date date;
};

/* One series as it is, over all workers. Everything is borrowed until the visitor returns. */
struct bp_metric_reading {
    uint32_t size;
    uint32_t overflow;               /* 1: of what was beyond max_series; it has no labels */
    const struct bp_metric_def *def; /* of the metric */
    uint32_t label_count, spare;
    bp_str labels[BP_METRIC_LABELS]; /* values, in the order of the definition */
    int64_t value;                   /* of a counter or gauge, before def->scale */
    const int64_t *buckets;          /* of a histogram: how many fell into each, and behind them above the last bound */
    double sum;                      /* of a histogram */
    const struct bp_metric_exemplar *exemplars; /* one for each of buckets; NULL: none are kept */
};
typedef void bp_metric_visitor(void *argument, const struct bp_metric_reading *reading);
/* Calls visit for each series of each metric of this server, those of a metric one after another. Thread-safe, from start to stop: it takes milliseconds
 * where there are thousands, so bp_offload() it. */
void bp_metrics_each(bp_metric_visitor *visit, void *argument);

#ifdef __cplusplus
}
#endif
#endif
