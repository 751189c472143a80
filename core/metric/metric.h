/* SPDX-License-Identifier: MIT */
/* The metrics of this process: what was defined, and where it lives in shared memory. */
#ifndef CORE_METRIC_METRIC_H
#define CORE_METRIC_METRIC_H

#include "backplane/metric.h"
#include "core/base/buffer.h"
#include "core/metric/region.h"

struct shared;

struct bp_series {
    struct bp_metric *metric;
    metric_cell *cells; /* of this worker's slot */
};

struct bp_metric {
    struct bp_metric *next;
    struct shared *shared;
    const char *plugin;           /* that defined it first; NULL: the core */
    struct bp_metric_def def;     /* full-size copy; the texts are the plugin's */
    struct metric_region *region; /* NULL before the first use: init runs in check, too */
    struct bp_series *series;     /* region->capacity of them */
    struct bp_series nowhere;     /* when there is no shared memory left: counts for nobody */
};

/* For metrics of the core; as bp_metric_new(). NULL: *ret_error says why (a literal). */
struct bp_metric *metric_new(struct shared *shared, const struct bp_metric_def *def, const char **ret_error);
/* Gives all metrics their memory now, so that no request has to wait for it. */
void metrics_attach(struct shared *shared);
/* In the supervisor: the worker of this slot is gone. */
void metrics_reap(struct shared *shared, unsigned slot);
/* Before shared memory goes away, and when this process writes to another slot. */
void metrics_forget(const struct shared *shared);
void metrics_forget_places(const struct shared *shared);

/* The metrics that live in shared, in the order defined. */
struct bp_metric *metrics_first(const struct shared *shared);
struct bp_metric *metrics_next(const struct bp_metric *metric);
/* NULL: no memory. */
struct metric_region *metric_region(struct bp_metric *metric);

/* The name without a counter's "_total". */
bp_str metric_family(const struct bp_metric_def *def);
/* Whether the name ends in that unit; and which it ends in. NULL: none that is known. */
bool metric_unit_fits(const struct bp_metric_def *def, const char *unit);
const char *metric_unit(const struct bp_metric_def *def);

/* Appends them all. */
void metrics_write(const struct shared *shared, enum bp_metric_format format, struct buffer *out);

#endif
