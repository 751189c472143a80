/* SPDX-License-Identifier: MIT */
/* What all workers have of one series. */
#ifndef CORE_METRIC_READING_H
#define CORE_METRIC_READING_H

#include "core/metric/metric.h"

#define READING_CELLS (METRIC_BUCKETS_MAX + 1u) /* +Inf included */

struct reading {
    int64_t cells[READING_CELLS]; /* the value, or the buckets */
    double sum;                   /* of a histogram */
};

/* Of a metric that has its memory. Thread-safe. */
void reading_take(const struct bp_metric *metric, uint32_t series, struct reading *ret_reading);
/* The overflow series of a metric with labels is shown only when something went there. */
bool reading_is_shown(const struct bp_metric *metric, uint32_t series, const struct reading *reading);

#endif
