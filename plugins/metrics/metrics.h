/* SPDX-License-Identifier: MIT */
#ifndef METRICS_H
#define METRICS_H

#include "backplane/backplane.h"

struct metrics {
    struct bp_metric *duration, *active, *build, *cpu, *resident, *open_fds, *max_fds, *start_time;
    struct bp_series *active_now, *cpu_total, *resident_now, *open_fds_now;
    int64_t cpu_counted; /* microseconds of this process that are in the metric */
};

/* Reads what the kernel knows about this process into its metrics. */
void metrics_refresh(struct metrics *metrics);

bp_handler metrics_observe, metrics_expose;

#endif
