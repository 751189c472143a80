/* SPDX-License-Identifier: MIT */
#ifndef METRICS_H
#define METRICS_H

#include "backplane/backplane.h"

/* Where requests of one kind are counted: looking that up by its labels costs more than all the rest. */
struct kept_series {
    const char *route; /* the text of its template, which lives as long as the server; NULL: nothing is kept here */
    unsigned method, status;
    struct bp_series *series;
};

#define KEPT_SERIES 64u /* a power of two */

struct metrics {
    struct bp_metric *duration, *active, *build, *cpu, *resident, *open_fds, *max_fds, *start_time;
    struct bp_series *active_now, *cpu_total, *resident_now, *open_fds_now;
    struct kept_series kept[KEPT_SERIES];
    struct bp_array buckets; /* of double: the option */
    int64_t cpu_counted;     /* microseconds of this process that are in the metric */
};

/* Reads what the kernel knows about this process into its metrics. */
void metrics_refresh(struct metrics *metrics);

bp_handler metrics_observe, metrics_expose;

#endif
