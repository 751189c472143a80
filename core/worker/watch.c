/* SPDX-License-Identifier: MIT */
/* A descriptor that is watched for long: one persistent event, so that waiting for it again costs no system call. */
#include <stdlib.h>

#include "core/plugin/assembly.h"
#include "core/worker/fiber.h"
#include "core/worker/loop_private.h"

struct bp_watch {
    struct loop *loop;
    struct bp_host *host;
    void (*function)(void *argument, unsigned events);
    void *argument;
    int fd;
    unsigned events; /* 0: the event is not pending */
    struct event event;
};

/* The function may free the watch, so nothing of it is used after the call. */
static void watch_fired(evutil_socket_t fd, short what, void *argument)
{
    struct bp_watch *watch = argument;
    struct fiber_place before = fiber_enter((struct fiber_place){.plugin = watch->host->name, .hook = "watch"});
    unsigned events = (what & EV_READ ? BP_READABLE : 0) | (what & EV_WRITE ? BP_WRITABLE : 0);
    (void)fd;
    watch->function(watch->argument, events);
    fiber_enter(before);
}

bool bp_watch_change(struct bp_watch *watch, unsigned events)
{
    short what = (short)(EV_PERSIST | (events & BP_READABLE ? EV_READ : 0) | (events & BP_WRITABLE ? EV_WRITE : 0));
    if (events == watch->events)
        return true;
    if (watch->events != 0)
        event_del(&watch->event);
    watch->events = 0;
    if (events != 0 && (event_assign(&watch->event, watch->loop->base, watch->fd, what, watch_fired, watch) != 0 ||
                        event_add(&watch->event, NULL) != 0))
        return false;
    watch->events = events;
    return true;
}

struct bp_watch *bp_watch_new(struct bp_host *host, int fd, unsigned events,
                              void (*function)(void *argument, unsigned events), void *argument)
{
    struct bp_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    watch->loop = host->assembly->loop;
    watch->host = host;
    watch->function = function;
    watch->argument = argument;
    watch->fd = fd;
    if (fd < 0 || !bp_watch_change(watch, events)) {
        free(watch);
        return NULL;
    }
    return watch;
}

struct bp_watch *bp_watch_free(struct bp_watch *watch)
{
    if (!watch)
        return NULL;
    bp_watch_change(watch, 0);
    free(watch);
    return NULL;
}
