/* SPDX-License-Identifier: MIT */
/*
 * Waiting. Code that must wait runs on a fiber and calls one of these: the fiber is suspended, the
 * worker's loop runs others meanwhile. All suspend and so may be called on a fiber only (a middleware, a
 * handler, start, stop, a bp_spawn'ed function); elsewhere they return BP_MISUSE.
 *
 * Every wait may end early with
 *   BP_CANCELED  the client is gone, or the worker stops: unwind normally,
 *   BP_TIMEOUT   the timeout given, or the deadline of the fiber (30 s for a request), has passed.
 */
#ifndef BACKPLANE_WAIT_H
#define BACKPLANE_WAIT_H

#include "backplane/clock.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bp_host;
struct bp_fiber;

/* Suspends for a duration. 0 when it has passed. */
int bp_sleep(bp_span duration);

/*
 * Runs function(job) on the offload pool (a bounded, niced thread pool) and suspends until it returned:
 * for what is CPU-heavy or blocks. The function sees only its job; it may call only what is marked
 * thread-safe. Never cancelled once it runs: the call then returns after it ended, with the function's
 * own status, even if the client left meanwhile. BP_BUSY at once when the pool's queue is full;
 * BP_CANCELED or BP_TIMEOUT when it was still queued (the function then never runs).
 */
int bp_offload(int (*function)(void *job), void *job);

/* A one-shot event between the code that waits for something and the code that makes it happen. Zero it,
 * or bp_event_init(); it may live on the waiting fiber's stack. One waiter at a time. */
typedef struct bp_event {
    struct bp_fiber *waiter;
    bool set;
} bp_event;

/* Not set, and nobody waits: the same as zeroes. */
static inline void bp_event_init(bp_event *event)
{
    event->waiter = NULL;
    event->set = false;
}

/* Suspends until bp_event_set(); returns 0 at once when it is set already. On BP_TIMEOUT and BP_CANCELED
 * the event is no longer waited for, and the caller must make sure that nobody sets a dead one. */
int bp_event_wait(bp_event *event, bp_span timeout);
/* The same, but neither cancelled nor timed out: for work that is already running elsewhere and touches
 * the caller's memory, and for commit and rollback. Suspends. */
void bp_event_wait_always(bp_event *event);
/* Wakes the waiter at the end of the current turn of the loop. On the loop's thread only; see bp_post(). */
void bp_event_set(bp_event *event);

/* Thread-safe: makes the worker's loop call function(argument) soon, without a fiber. For threads of a
 * plugin's own that must report to the loop. Calls arrive in the order posted by one thread. False only
 * when out of memory. The host is that of the plugin instance. */
bool bp_post(struct bp_host *host, void (*function)(void *argument), void *argument);

/* What a descriptor is waited for. */
#define BP_READABLE 1u
#define BP_WRITABLE 2u
/* Suspends until the descriptor is ready for one of the events (BP_READABLE | BP_WRITABLE), or in error. */
int bp_wait_fd(int fd, unsigned events, bp_span timeout);

struct bp_watch;
/*
 * For a descriptor that is used for long, a connection: calls function(argument, events) on the loop, without a fiber (so it must
 * not suspend; it may bp_event_set()), each turn that the descriptor is ready for one of the events, or in error. No system call
 * a time. events may be 0 for now. Owned by the caller: freed before the descriptor is closed, and in stop at the latest. Does
 * not suspend. NULL when out of memory, or when the descriptor cannot be watched.
 */
struct bp_watch *bp_watch_new(struct bp_host *host, int fd, unsigned events,
                              void (*function)(void *argument, unsigned events), void *argument);
/* Watches for these events from now on; those it had cost nothing. False when it could not: it watches for none. */
bool bp_watch_change(struct bp_watch *watch, unsigned events);
/* Accepts NULL. Returns NULL. May be called from the watch's own function. */
struct bp_watch *bp_watch_free(struct bp_watch *watch);

/*
 * Work without a request: starts function(argument) on a fiber of its own, with its own arena
 * (bp_fiber_arena()), joined in stop: the core cancels it after the instance's stop returned and waits for
 * it. deadline: how long it may take, or BP_FOREVER. Does not suspend. BP_NOMEM or 0. The name (a literal)
 * shows up in crash reports and dumps. Its status is logged when negative and not BP_CANCELED.
 */
int bp_spawn(struct bp_host *host, const char *name, int (*function)(void *argument), void *argument, bp_span deadline);
/* The arena of the current fiber: a request's is that of the request. NULL outside a fiber. */
struct bp_arena *bp_fiber_arena(void);

/* The fiber that runs now; NULL outside of fibers. Valid until its function has returned. */
struct bp_fiber *bp_fiber_current(void);
/* Makes the wait of a fiber of this worker, or its next one, return BP_CANCELED, and every one after that. On the loop's thread. */
void bp_fiber_cancel(struct bp_fiber *fiber);

/* Work in hand that a worker, once told to stop, is to let end, as it does with requests: it stops its plugins when all of it was released, or
 * server.drain_timeout has passed. Each hold is released once. On the loop's thread. See bp_draining(). */
void bp_hold(void);
void bp_release(void);

struct bp_timer;
/* Calls function(argument) on the loop, without a fiber (so it must not suspend; it may bp_spawn), every
 * interval from now on. Ends with the instance, or with bp_timer_free(). NULL when out of memory. */
struct bp_timer *bp_timer_every(struct bp_host *host, bp_span interval, void (*function)(void *argument),
                                void *argument);
/* Accepts NULL. Returns NULL. May be called from the timer's own function. */
struct bp_timer *bp_timer_free(struct bp_timer *timer);

#ifdef __cplusplus
}
#endif
#endif
