/* SPDX-License-Identifier: MIT */
#include "core/worker/runtime.h"

#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/http/server.h"
#include "core/metric/metric.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"

#define COUNTER(name_, ...)                                                                            \
    {                                                                                                  \
        .size = sizeof(struct bp_metric_def), .type = BP_COUNTER, .name = (name_), .help = __VA_ARGS__ \
    }
#define GAUGE(name_, ...)                                                                            \
    {                                                                                                \
        .size = sizeof(struct bp_metric_def), .type = BP_GAUGE, .name = (name_), .help = __VA_ARGS__ \
    }

enum {
    CONNECTIONS,
    CONNECTION_LIMIT,
    ACCEPTED,
    FIBERS,
    FIBERS_STARTED,
    OFFLOAD_THREADS,
    OFFLOAD_JOBS,
    OFFLOAD_DONE,
    OFFLOAD_REFUSED,
    OFFLOAD_WAITED,
    ARENAS,
    DEFS
};

static const struct bp_metric_def defs[DEFS] = {
    [CONNECTIONS] = GAUGE("backplane_connections", "Open HTTP connections."),
    [CONNECTION_LIMIT] = GAUGE("backplane_connections_limit", "HTTP connections that all workers may have open."),
    [ACCEPTED] = COUNTER("backplane_connections_accepted_total", "HTTP connections that were accepted."),
    [FIBERS] = GAUGE("backplane_fibers", "Fibers that run or wait (live), and stacks kept for the next (pooled).",
                     .labels = {"state"}),
    [FIBERS_STARTED] = COUNTER("backplane_fibers_started_total", "Fibers started, of requests and of plugins."),
    [OFFLOAD_THREADS] = GAUGE("backplane_offload_threads", "Threads for what would block a worker."),
    [OFFLOAD_JOBS] =
        GAUGE("backplane_offload_jobs", "Offloaded work: it waits for a thread (queued), or has one (running).",
              .labels = {"state"}),
    [OFFLOAD_DONE] = COUNTER("backplane_offload_done_total", "Offloaded work that is done."),
    [OFFLOAD_REFUSED] =
        COUNTER("backplane_offload_refused_total", "Offloaded work that was refused: the queue was full."),
    [OFFLOAD_WAITED] = COUNTER("backplane_offload_wait_seconds_total", "Time that offloaded work waited for a thread.",
                               .scale = 0.000000001),
    [ARENAS] = GAUGE("backplane_arena_bytes", "Memory of requests and fibers (used), and kept for the next (pooled).",
                     .labels = {"state"}),
};

static const struct {
    unsigned def;
    const char *state;
} rows[RUNTIME_ROWS] = {
    {CONNECTIONS, NULL},       {CONNECTION_LIMIT, NULL}, {ACCEPTED, NULL},        {FIBERS, "live"},
    {FIBERS, "pooled"},        {FIBERS_STARTED, NULL},   {OFFLOAD_THREADS, NULL}, {OFFLOAD_JOBS, "queued"},
    {OFFLOAD_JOBS, "running"}, {OFFLOAD_DONE, NULL},     {OFFLOAD_REFUSED, NULL}, {OFFLOAD_WAITED, NULL},
    {ARENAS, "used"},          {ARENAS, "pooled"},
};

int runtime_define(struct shared *shared)
{
    const char *error;
    for (unsigned i = 0; i < DEFS; i++)
        if (!metric_new(shared, &defs[i], &error))
            return BP_NOMEM;
    return 0;
}

static void find_series(struct runtime *runtime, struct shared *shared)
{
    const char *error;
    for (unsigned i = 0; i < RUNTIME_ROWS; i++) {
        const bp_str state = bp_str_of(rows[i].state);
        struct bp_metric *metric = metric_new(shared, &defs[rows[i].def], &error);
        if (metric)
            runtime->series[i] = bp_series(metric, &state);
    }
}

void runtime_refresh(struct runtime *runtime, struct shared *shared, const struct loop *loop,
                     const struct server *server)
{
    struct server_stats http = server ? server_stats(server) : (struct server_stats){0};
    struct loop_offload_stats offload = loop_offload_stats(loop);
    struct fiber_stats fibers = fiber_stats();
    struct arena_stats arenas = arena_stats();
    const uint64_t values[RUNTIME_ROWS] = {http.connections, http.limit,     http.accepted,   fibers.live,
                                           fibers.pooled,    fibers.started, offload.threads, offload.queued,
                                           offload.running,  offload.done,   offload.refused, offload.waited,
                                           arenas.used,      arenas.pooled};

    if (!runtime->series[0])
        find_series(runtime, shared);
    for (unsigned i = 0; i < RUNTIME_ROWS; i++) {
        int64_t value = (int64_t)values[i];
        if (!runtime->series[i])
            continue;
        if (defs[rows[i].def].type == BP_GAUGE)
            bp_metric_set(runtime->series[i], value);
        else
            bp_metric_add(runtime->series[i], value - runtime->last[i]);
        runtime->last[i] = value;
    }
}
