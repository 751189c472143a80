/* SPDX-License-Identifier: MIT */
/* Fibers without a request, and joining those of one host. */
#include <stdlib.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/plugin/assembly.h"
#include "core/worker/loop_private.h"
#include "core/worker/suspend.h"

struct spawned {
    struct spawned *prev, *next;
    struct loop *loop;
    struct bp_host *host;
    const char *name;
    int (*function)(void *argument);
    void *argument;
    struct bp_arena *arena;
    struct bp_fiber *fiber;
    bp_event *joined; /* set at the end; NULL: nobody waits for it */
};

static void spawned_run(void *argument)
{
    struct spawned *spawned = argument;
    int status;
    fiber_enter((struct fiber_place){.plugin = spawned->host->name, .hook = spawned->name});
    status = spawned->function(spawned->argument);
    if (status < 0 && status != BP_CANCELED)
        bp_log(spawned->host, BP_LOG_ERROR, "fiber.failed", "Background work failed",
               bp_log_cstr("name", spawned->name), bp_log_cstr("status", bp_status_name(status)));
}

static void spawned_ended(void *argument)
{
    struct spawned *spawned = argument;
    *(spawned->prev ? &spawned->prev->next : &spawned->loop->spawned) = spawned->next;
    if (spawned->next)
        spawned->next->prev = spawned->prev;
    if (spawned->joined)
        bp_event_set(spawned->joined);
    arena_free(spawned->arena);
    free(spawned);
}

int bp_spawn(struct bp_host *host, const char *name, int (*function)(void *argument), void *argument, bp_span deadline)
{
    struct loop *loop = host->assembly->loop;
    struct spawned *spawned = calloc(1, sizeof(*spawned));
    struct fiber_start start = {.function = spawned_run, .ended = spawned_ended, .argument = spawned, .name = name};
    int status = BP_NOMEM;
    if (!spawned)
        return BP_NOMEM;
    spawned->loop = loop;
    spawned->host = host;
    spawned->name = name;
    spawned->function = function;
    spawned->argument = argument;
    start.arena = spawned->arena = arena_new();
    start.deadline = time_after(bp_clock(), deadline);
    if (spawned->arena)
        status = fiber_prepare(loop, &start, &spawned->fiber);
    if (status < 0) {
        arena_free(spawned->arena);
        free(spawned);
        return status;
    }
    spawned->next = loop->spawned;
    if (loop->spawned)
        loop->spawned->prev = spawned;
    loop->spawned = spawned;
    fiber_begin_later(spawned->fiber);
    return 0;
}

static struct spawned *find(struct loop *loop, const struct bp_host *host)
{
    struct spawned *spawned = loop->spawned;
    while (spawned && spawned->host != host)
        spawned = spawned->next;
    return spawned;
}

void loop_join_spawned(struct loop *loop, struct bp_host *host)
{
    struct spawned *left;
    for (struct spawned *spawned = loop->spawned; spawned; spawned = spawned->next)
        if (spawned->host == host)
            fiber_cancel(spawned->fiber, BP_CANCELED);
    if (!fiber_current())
        return;
    while ((left = find(loop, host))) {
        bp_event joined = {0};
        /* Again: one that is unwinding may have spawned this one meanwhile. */
        fiber_cancel(left->fiber, BP_CANCELED);
        left->joined = &joined;
        bp_event_wait_always(&joined);
    }
}
