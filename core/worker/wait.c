/* SPDX-License-Identifier: MIT */
/* The waits of a fiber. What they need lies on its stack; nothing is allocated. */
#include "backplane/wait.h"

#include <stdlib.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/worker/loop_private.h"
#include "core/worker/suspend.h"

/* From here on 100 ms more or less do not matter, and the wheel is cheaper than a timer. */
#define COARSE_FROM BP_SECOND

struct timeout {
    struct bp_fiber *fiber;
    bp_time at;
    int status; /* to wake with */
    enum { NO_TIMEOUT, PRECISE, COARSE } kind;
    struct event timer;
    struct loop_deadline deadline;
};

/* libevent counts from a clock it read before the callbacks of this turn, so the timer can be early. */
static void timer_fired(evutil_socket_t fd, short what, void *argument)
{
    struct timeout *timeout = argument;
    bp_span left = timeout->at - bp_clock();
    (void)fd, (void)what;
    if (left > 0) {
        struct timeval again = timeval_of(left);
        evtimer_add(&timeout->timer, &again);
    } else {
        fiber_wake(timeout->fiber, timeout->status);
    }
}

static void deadline_fired(struct loop_deadline *deadline)
{
    struct timeout *timeout = CONTAINER_OF(deadline, struct timeout, deadline);
    fiber_wake(timeout->fiber, timeout->status);
}

static void timeout_start(struct timeout *timeout, struct bp_fiber *fiber, bp_span span, int status)
{
    struct loop *loop = fiber_loop(fiber);
    timeout->fiber = fiber;
    timeout->status = status;
    timeout->at = time_after(bp_clock(), span);
    if (timeout->at == BP_FOREVER) {
        timeout->kind = NO_TIMEOUT;
    } else if (span >= COARSE_FROM) {
        timeout->kind = COARSE;
        timeout->deadline = (struct loop_deadline){.function = deadline_fired};
        loop_deadline_set(loop, &timeout->deadline, timeout->at);
    } else {
        struct timeval delay = timeval_of(span);
        timeout->kind = PRECISE;
        evtimer_assign(&timeout->timer, loop->base, timer_fired, timeout);
        evtimer_add(&timeout->timer, &delay);
    }
}

static void timeout_stop(struct timeout *timeout)
{
    if (timeout->kind == PRECISE)
        evtimer_del(&timeout->timer);
    else if (timeout->kind == COARSE)
        loop_deadline_clear(fiber_loop(timeout->fiber), &timeout->deadline);
}

/* A cancellable wait for a span; woken by something else, it returns what that gave. */
static int suspend_for(struct bp_fiber *fiber, bp_span span, int status_then)
{
    struct timeout timeout;
    int status = fiber_canceled(fiber);
    if (status)
        return status;
    timeout_start(&timeout, fiber, span, status_then);
    status = fiber_suspend(true);
    timeout_stop(&timeout);
    return status;
}

struct bp_fiber *bp_fiber_current(void)
{
    return fiber_current();
}

void bp_fiber_cancel(struct bp_fiber *fiber)
{
    fiber_cancel(fiber, BP_CANCELED);
}

int bp_sleep(bp_span duration)
{
    struct bp_fiber *fiber = fiber_current();
    if (!fiber)
        return BP_MISUSE;
    return duration <= 0 ? fiber_yield() : suspend_for(fiber, duration, 0);
}

int bp_event_wait(bp_event *event, bp_span timeout)
{
    struct bp_fiber *fiber = fiber_current();
    int status;
    if (!fiber || event->waiter)
        return BP_MISUSE;
    if (event->set)
        return 0;
    if (timeout <= 0)
        return BP_TIMEOUT;
    event->waiter = fiber;
    status = suspend_for(fiber, timeout, BP_TIMEOUT);
    event->waiter = NULL;
    /* It may have been set after the timeout woke the fiber and before it ran. */
    return event->set ? 0 : status;
}

void bp_event_wait_always(bp_event *event)
{
    struct bp_fiber *fiber = fiber_current();
    if (event->set)
        return;
    if (!fiber || event->waiter) {
        /* To return would let somebody write to memory that its owner takes for free again. */
        bp_log(NULL, BP_LOG_ERROR, "wait.misuse", "bp_event_wait_always was called off a fiber or by a second waiter");
        abort();
    }
    event->waiter = fiber;
    while (!event->set)
        fiber_suspend(false);
    event->waiter = NULL;
}

void bp_event_set(bp_event *event)
{
    event->set = true;
    if (event->waiter)
        fiber_wake(event->waiter, 0);
}

static void fd_ready(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    fiber_wake(argument, 0);
}

int bp_wait_fd(int fd, unsigned events, bp_span timeout)
{
    struct bp_fiber *fiber = fiber_current();
    struct event ready;
    short what = (short)((events & BP_READABLE ? EV_READ : 0) | (events & BP_WRITABLE ? EV_WRITE : 0));
    int status;
    if (!fiber || fd < 0 || what == 0)
        return BP_MISUSE;
    if (event_assign(&ready, fiber_loop(fiber)->base, fd, what, fd_ready, fiber) != 0 || event_add(&ready, NULL) != 0)
        return BP_ERROR;
    status = suspend_for(fiber, timeout, BP_TIMEOUT);
    event_del(&ready);
    return status;
}

struct bp_arena *bp_fiber_arena(void)
{
    struct bp_fiber *fiber = fiber_current();
    return fiber ? fiber_arena(fiber) : NULL;
}
