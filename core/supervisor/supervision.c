/* SPDX-License-Identifier: MIT */
#include "core/supervisor/supervision.h"

#include "backplane/status.h"
#include "core/metric/metric.h"
#include "core/supervisor/shared.h"

/* The supervisor writes to the cells of slot 0. No worker writes to these metrics. */
#define GAUGE(name_, ...)                                                                            \
    {                                                                                                \
        .size = sizeof(struct bp_metric_def), .type = BP_GAUGE, .name = (name_), .help = __VA_ARGS__ \
    }

enum { ENDS, WORKERS, RELOAD_SUCCESSFUL, RELOAD_TIME, MEMORY, DEFS };

static const struct bp_metric_def defs[DEFS] = {
    [ENDS] = {.size = sizeof(struct bp_metric_def),
              .type = BP_COUNTER,
              .name = "backplane_worker_restarts_total",
              .help =
                  "Workers that ended and are replaced: killed (by a signal), exited, stalled, or too large (memory).",
              .labels = {"reason"}},
    [WORKERS] = GAUGE("backplane_workers", "Workers that run, of either kind."),
    [RELOAD_SUCCESSFUL] = GAUGE("backplane_config_last_reload_successful",
                                "1 when the configuration that was last read is the one that runs, else 0."),
    [RELOAD_TIME] = GAUGE("backplane_config_last_reload_success_timestamp_seconds",
                          "When the configuration that runs was taken over, since the Unix epoch.", .scale = 0.001),
    [MEMORY] = GAUGE("backplane_shared_memory_bytes",
                     "Shared memory that is given out (used), and that there is (limit: server.shared_memory).",
                     .labels = {"state"}),
};

int supervision_define(struct shared *shared)
{
    const char *error;
    for (unsigned i = 0; i < DEFS; i++)
        if (!metric_new(shared, &defs[i], &error))
            return BP_NOMEM;
    return 0;
}

static metric_cell *cell(struct shared *shared, unsigned def, const char *label)
{
    const bp_str value = bp_str_of(label);
    const char *error;
    struct bp_metric *metric = metric_new(shared, &defs[def], &error);
    return metric ? bp_series(metric, &value)->cells : NULL;
}

void supervision_start(struct supervision *supervision, struct shared *shared)
{
    static const char *const ends[] = {
        [END_KILLED] = "killed", [END_EXITED] = "exited", [END_STALLED] = "stalled", [END_MEMORY] = "memory"};
    for (unsigned i = 0; i < WORKER_ENDS; i++)
        supervision->ends[i] = cell(shared, ENDS, ends[i]);
    supervision->workers = cell(shared, WORKERS, NULL);
    supervision->reload_successful = cell(shared, RELOAD_SUCCESSFUL, NULL);
    supervision->reload_time = cell(shared, RELOAD_TIME, NULL);
    supervision->memory_used = cell(shared, MEMORY, "used");
    supervision->memory_limit = cell(shared, MEMORY, "limit");
    supervision->loaded = bp_date_now();
}

static void set(metric_cell *gauge, int64_t value)
{
    if (gauge)
        atomic_store_explicit(gauge, value, memory_order_relaxed);
}

void supervision_refresh(const struct supervision *supervision, const struct shared *shared, unsigned workers)
{
    set(supervision->workers, workers);
    set(supervision->reload_successful, !supervision->refused);
    set(supervision->reload_time, supervision->loaded);
    set(supervision->memory_used, (int64_t)shared_used(shared));
    set(supervision->memory_limit, (int64_t)shared_size(shared));
}

void supervision_ended(const struct supervision *supervision, enum worker_end end)
{
    if (supervision->ends[end])
        atomic_fetch_add_explicit(supervision->ends[end], 1, memory_order_relaxed);
}
