/* SPDX-License-Identifier: MIT */
#include "core/plugin/hooks.h"

#include "backplane/metric.h"
#include "backplane/status.h"
#include "core/metric/metric.h"
#include "core/plugin/assembly.h"

static const double buckets[] = {0.000001, 0.00001, 0.0001, 0.001, 0.01, 0.1, 1, 10};

static const struct bp_metric_def time_metric = {
    .size = sizeof(time_metric),
    .type = BP_HISTOGRAM,
    .name = "backplane_plugin_hook_duration_seconds",
    .help = "Duration of stages and handlers without what runs within them, waiting included, of one request in 16.",
    .labels = {"plugin", "hook"},
    .buckets = buckets,
    .bucket_count = sizeof(buckets) / sizeof(buckets[0])};

static const struct bp_metric_def fault_metric = {
    .size = sizeof(fault_metric),
    .type = BP_COUNTER,
    .name = "backplane_plugin_faults_total",
    .help =
        "What went wrong in a plugin: error, unavailable and timeout (replies of 500, 503 and 504), crash and stall "
        "(of the worker).",
    .labels = {"plugin", "kind"}};

static const char *const hook_names[] = {[HOOK_MIDDLEWARE] = "middleware", [HOOK_HANDLER] = "handler"};
static const char *const fault_names[] = {[FAULT_ERROR] = "error",
                                          [FAULT_UNAVAILABLE] = "unavailable",
                                          [FAULT_TIMEOUT] = "timeout",
                                          [FAULT_CRASH] = "crash",
                                          [FAULT_STALL] = "stall"};

/* Of this process: a worker runs one assembly. For the signal handlers. */
static const struct assembly *running;
static unsigned requests;

int hooks_init(struct assembly *assembly)
{
    const char *error;
    assembly->hook_time = metric_new(assembly->shared, &time_metric, &error);
    assembly->hook_faults = metric_new(assembly->shared, &fault_metric, &error);
    return assembly->hook_time && assembly->hook_faults ? 0 : BP_NOMEM;
}

static bool has_hook(const struct assembly *assembly, const struct bp_host *host, enum hook hook)
{
    if (hook == HOOK_MIDDLEWARE)
        return host->plugin.middleware != NULL;
    for (size_t i = 0; i < assembly->endpoint_count; i++)
        if (assembly->endpoints[i].host == host)
            return true;
    return false;
}

static void prepare(const struct assembly *assembly, struct bp_host *host)
{
    for (unsigned i = 0; i < HOOKS; i++)
        if (has_hook(assembly, host, (enum hook)i))
            host->series.time[i] =
                bp_series(assembly->hook_time, (const bp_str[]){host->name_str, bp_str_of(hook_names[i])});
    for (unsigned i = 0; i < FAULTS; i++)
        host->series.faults[i] =
            bp_series(assembly->hook_faults, (const bp_str[]){host->name_str, bp_str_of(fault_names[i])});
}

void hooks_start(const struct assembly *assembly)
{
    requests = 0;
    if (!assembly->hook_time || !assembly->hook_faults)
        return;
    for (size_t i = 0; i < assembly->host_count; i++)
        prepare(assembly, assembly->hosts[i]);
    running = assembly;
}

void hooks_stop(void)
{
    running = NULL;
}

bool hooks_sampled(void)
{
    return requests++ % HOOK_SAMPLE == 0;
}

void hooks_took(const struct bp_host *host, enum hook hook, bp_span took)
{
    if (host && host->series.time[hook])
        bp_metric_observe(host->series.time[hook], (double)took / (double)BP_SECOND);
}

static void count(const struct bp_host *host, enum fault fault)
{
    if (host->series.faults[fault])
        bp_metric_add(host->series.faults[fault], 1);
}

void hooks_failed(const struct bp_host *host, unsigned status)
{
    if (host)
        count(host, status == 503 ? FAULT_UNAVAILABLE : status == 504 ? FAULT_TIMEOUT : FAULT_ERROR);
}

void hooks_fault(const char *plugin, enum fault fault)
{
    for (size_t i = 0; running && i < running->host_count; i++)
        if (running->hosts[i]->name == plugin)
            count(running->hosts[i], fault);
}
