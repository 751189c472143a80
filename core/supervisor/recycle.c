/* SPDX-License-Identifier: MIT */
#include "core/supervisor/recycle.h"

#include <stdio.h>
#include <string.h>

#include "backplane/log.h"

#define LEAST_AGE (5 * BP_SECOND) /* where the limit is less than a worker begins with, this is how often */

/* Bytes of memory that is its alone and cannot be dropped: proc(5), RssAnon. 0: not known. */
static uint64_t own_memory(pid_t pid)
{
    char path[40], line[128];
    unsigned long long kilobytes = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "RssAnon: %llu", &kilobytes) == 1)
            break;
    (void)fclose(file);
    return (uint64_t)kilobytes * 1024;
}

void recycle_look(struct workers *workers, bp_time now)
{
    uint64_t limit = workers->generation ? workers->plan.server->worker_memory : 0;

    if (limit == 0 || workers->draining)
        return;
    for (unsigned slot = 0; slot < workers->count; slot++)
        if (workers->items[slot].predecessor != 0)
            return; /* one is about to take its place */
    for (unsigned slot = 0; slot < workers->count; slot++) {
        const struct worker *worker = &workers->items[slot];
        if (worker->state != WORKER_READY || workers_leaves(workers, worker) || now - worker->started < LEAST_AGE)
            continue;
        uint64_t bytes = own_memory(worker->pid);
        if (bytes <= limit)
            continue;
        bp_log(NULL, BP_LOG_WARN, "worker.recycled",
               "A worker has more memory than server.worker_memory allows: another takes its place",
               bp_log_cstr("kind", child_title(worker->kind)), bp_log_int("worker", worker->index + 1),
               bp_log_int("worker_pid", worker->pid), bp_log_int("bytes", (int64_t)bytes),
               bp_log_int("limit", (int64_t)limit));
        workers_succeed(workers, slot);
        return;
    }
}
