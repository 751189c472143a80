/* SPDX-License-Identifier: MIT */
/* start and stop of the instances, on a fiber of the worker. */
#include "backplane/log.h"
#include "backplane/status.h"
#include "core/database/front.h"
#include "core/database/migrations.h"
#include "core/plugin/assembly.h"
#include "core/plugin/health.h"
#include "core/trace/trace.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"

static void stop_host(struct bp_host *host)
{
    health_close(host);
    if (host->state == HOST_STARTED && host->plugin.stop) {
        struct fiber_place before = fiber_enter((struct fiber_place){.plugin = host->name, .hook = "stop"});
        host->plugin.stop(host, host->self);
        fiber_enter(before);
    }
    if (host->assembly->loop) {
        loop_free_timers(host->assembly->loop, host); /* first: a timer may spawn */
        loop_join_spawned(host->assembly->loop, host);
    }
    log_hooks_forget(host);
    host->state = HOST_STOPPED;
}

static int run_hook(struct bp_host *host, const char *name, int (*hook)(struct bp_host *host, void *self))
{
    int status = 0;
    if (hook) {
        struct fiber_place before = fiber_enter((struct fiber_place){.plugin = host->name, .hook = name});
        status = hook(host, host->self);
        fiber_enter(before);
    }
    if (status == 0)
        return 0;
    if (!host->start_error_said)
        bp_log(host, BP_LOG_ERROR, "plugin.start_failed", "A plugin could not start",
               bp_log_cstr("status", status < 0 ? bp_status_name(status) : "a condition"));
    return status < 0 ? status : BP_ERROR;
}

int assembly_before_start(struct assembly *assembly)
{
    int first = 0;
    for (size_t i = 0; i < assembly->host_count; i++) {
        struct bp_host *host = assembly->hosts[i];
        int status = run_hook(host, "before_start", host->plugin.before_start);
        if (first == 0)
            first = status;
    }
    return first;
}

static int start_host(struct bp_host *host)
{
    int status = run_hook(host, "start", host->plugin.start);
    if (status == 0)
        host->state = HOST_STARTED;
    return status;
}

static void stop_from(struct assembly *assembly, size_t count)
{
    while (count-- > 0)
        stop_host(assembly->hosts[count]);
    hooks_stop();
    trace_stop();
    database_front_stop();
}

int assembly_start(struct assembly *assembly)
{
    hooks_start(assembly);
    trace_start(assembly);
    database_front_start(assembly);
    migrations_expect(assembly);
    for (size_t i = 0; i < assembly->host_count; i++) {
        if (assembly->hosts[i]->left_out)
            continue;
        int status = start_host(assembly->hosts[i]);
        if (status) {
            stop_from(assembly, i + 1); /* the one that failed may have spawned fibers already */
            return status;
        }
    }
    return 0;
}

/* The providers of an instance come before it. */
static void keep_needed(struct assembly *assembly, const struct bp_host *wanted)
{
    for (size_t i = 0; i < assembly->host_count; i++)
        assembly->hosts[i]->left_out = assembly->hosts[i] != wanted;
    for (size_t i = assembly->host_count; i-- > 0;) {
        const struct bp_host *host = assembly->hosts[i];
        for (size_t n = 0; !host->left_out && host->plugin.needs && host->plugin.needs[n].size; n++)
            if (host->providers[n])
                host->providers[n]->left_out = false;
    }
}

int assembly_start_for(struct assembly *assembly, struct bp_host *host)
{
    keep_needed(assembly, host);
    return assembly_start(assembly);
}

void assembly_stop(struct assembly *assembly)
{
    stop_from(assembly, assembly->host_count);
}
