/* SPDX-License-Identifier: MIT */
/* Workers whose loop stands still. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backplane/log.h"
#include "core/supervisor/shared.h"
#include "core/supervisor/workers.h"

/* A debugger stops a worker for good reason. */
static bool is_traced(pid_t pid)
{
    char name[40], line[128];
    bool traced = false;

    (void)snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
    FILE *file = fopen(name, "re");
    if (!file)
        return false;
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "TracerPid:", 10) == 0)
            traced = strtol(line + 10, NULL, 10) != 0;
    (void)fclose(file);
    return traced;
}

/* At the limit it is asked for its stack; at the next tick it is killed. */
static void end_stalled(struct worker *worker)
{
    if (!worker->asked) {
        bp_log(NULL, BP_LOG_ERROR, "worker.stalled",
               "A worker's loop stands still; it is asked for its stack, then replaced",
               bp_log_cstr("kind", child_title(worker->kind)), bp_log_int("worker", worker->index + 1),
               bp_log_int("worker_pid", worker->pid), bp_log_int("seconds", worker->silent));
        worker->asked = true;
        (void)kill(worker->pid, SIGUSR2);
        return;
    }
    (void)snprintf(worker->reason, sizeof(worker->reason), "stalled");
    (void)kill(worker->pid, SIGKILL);
}

void workers_watch(struct workers *workers)
{
    unsigned limit =
        (unsigned)((workers->generation ? workers->plan : workers->next_plan).server->stall_timeout / BP_SECOND);
    bool ended = false;

    for (unsigned slot = 0; slot < workers->count; slot++) {
        struct worker *worker = &workers->items[slot];
        if (!worker_runs(worker))
            continue;
        bp_time stamp = shared_stamped(workers->shared, slot);
        if (stamp != worker->stamp) {
            worker->stamp = stamp;
            worker->silent = 0;
            worker->asked = false;
            continue;
        }
        worker->silent++;
        /* One at a time: what stops all of them (a slow disk) is not healed by killing all of them. */
        if (limit == 0 || worker->silent < limit || ended)
            continue;
        if (is_traced(worker->pid)) {
            worker->silent = 0;
            continue;
        }
        end_stalled(worker);
        ended = true;
    }
}

void workers_pardon(struct workers *workers)
{
    for (unsigned slot = 0; slot < workers->count; slot++) {
        workers->items[slot].silent = 0;
        workers->items[slot].asked = false;
    }
}
