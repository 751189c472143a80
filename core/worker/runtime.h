/* SPDX-License-Identifier: MIT */
/* The core's metrics of a worker: connections, fibers, offloaded work, arenas. */
#ifndef CORE_WORKER_RUNTIME_H
#define CORE_WORKER_RUNTIME_H

#include "backplane/metric.h"

struct assembly;
struct loop;
struct server;
struct shared;

int runtime_define(struct shared *shared);

/* Of this worker; zeroed before the first use. */
enum { RUNTIME_ROWS = 14 };
struct runtime {
    struct bp_series *series[RUNTIME_ROWS];
    int64_t last[RUNTIME_ROWS];
};
/* Brings the metrics up to date: once a second. server: NULL before there is one. */
void runtime_refresh(struct runtime *runtime, struct shared *shared, const struct loop *loop,
                     const struct server *server);

#endif
