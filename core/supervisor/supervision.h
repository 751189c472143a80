/* SPDX-License-Identifier: MIT */
/* The metrics that the supervisor keeps: its workers, the configuration, shared memory. */
#ifndef CORE_SUPERVISOR_SUPERVISION_H
#define CORE_SUPERVISOR_SUPERVISION_H

#include "backplane/clock.h"
#include "core/metric/region.h"

struct shared;

/* In every process, so that each can show them. */
int supervision_define(struct shared *shared);

enum worker_end { END_KILLED /* by a signal */, END_EXITED, END_STALLED, END_MEMORY, WORKER_ENDS };

/* In the supervisor. It finds its places in shared memory before there is a worker that could damage it, and writes to nothing else later. */
struct supervision {
    metric_cell *ends[WORKER_ENDS];
    metric_cell *workers, *reload_successful, *reload_time, *memory_used, *memory_limit;
    bp_date loaded; /* the configuration that runs */
    bool refused;   /* one was read since, and cannot run */
};
void supervision_start(struct supervision *supervision, struct shared *shared);
/* Once a second, and when metrics_reap() has taken what was set. */
void supervision_refresh(const struct supervision *supervision, const struct shared *shared, unsigned workers);
/* A worker that was ready has ended, and is replaced. */
void supervision_ended(const struct supervision *supervision, enum worker_end end);

#endif
