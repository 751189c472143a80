/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/plugin/assembly.h"
#include "core/worker/fiber.h"
#include "core/worker/loop_private.h"

struct bp_timer {
    struct bp_timer *prev, *next;
    struct loop *loop;
    struct bp_host *host;
    void (*function)(void *argument);
    void *argument;
    struct event event;
};

/* The function may free the timer, so nothing of it is used after the call. */
static void timer_fired(evutil_socket_t fd, short what, void *argument)
{
    struct bp_timer *timer = argument;
    struct fiber_place before = fiber_enter((struct fiber_place){.plugin = timer->host->name, .hook = "timer"});
    (void)fd, (void)what;
    timer->function(timer->argument);
    fiber_enter(before);
}

struct bp_timer *bp_timer_every(struct bp_host *host, bp_span interval, void (*function)(void *argument),
                                void *argument)
{
    struct loop *loop = host->assembly->loop;
    struct timeval delay = timeval_of(interval > BP_MILLISECOND ? interval : BP_MILLISECOND);
    struct bp_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return NULL;
    timer->loop = loop;
    timer->host = host;
    timer->function = function;
    timer->argument = argument;
    if (event_assign(&timer->event, loop->base, -1, EV_PERSIST, timer_fired, timer) != 0 ||
        event_add(&timer->event, &delay) != 0) {
        free(timer);
        return NULL;
    }
    timer->next = loop->timers;
    if (loop->timers)
        loop->timers->prev = timer;
    loop->timers = timer;
    return timer;
}

struct bp_timer *bp_timer_free(struct bp_timer *timer)
{
    if (!timer)
        return NULL;
    event_del(&timer->event);
    *(timer->prev ? &timer->prev->next : &timer->loop->timers) = timer->next;
    if (timer->next)
        timer->next->prev = timer->prev;
    free(timer);
    return NULL;
}

void loop_free_timers(struct loop *loop, const struct bp_host *host)
{
    struct bp_timer *next;
    for (struct bp_timer *timer = loop->timers; timer; timer = next) {
        next = timer->next;
        if (!host || timer->host == host)
            bp_timer_free(timer);
    }
}
