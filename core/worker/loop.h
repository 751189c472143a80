/* SPDX-License-Identifier: MIT */
/*
 * The event loop of a process: a libevent base, a coarse deadline wheel (100 ms), precise timers for short waits, posted calls
 * from other threads (eventfd), functions at the end of each turn, the offload pool. One per worker thread.
 */
#ifndef CORE_WORKER_LOOP_H
#define CORE_WORKER_LOOP_H

#include "backplane/clock.h"
#include "backplane/wait.h"

struct event_base;
struct loop;

struct loop_options {
    unsigned offload_threads; /* 0: one per available CPU, at least 2 */
    unsigned offload_queue;   /* jobs that may wait; 0: 256 */
};
int loop_new(const struct loop_options *options, struct loop **ret_loop);
/* Joins the offload threads. Accepts NULL, returns NULL. No fiber may be left. */
struct loop *loop_free(struct loop *loop);
struct event_base *loop_base(struct loop *loop);
/* Runs until loop_stop(). */
int loop_run(struct loop *loop);
/* Before loop_run(), it makes that return at once. */
void loop_stop(struct loop *loop);
/* One turn: waits for events (at most `wait`), then the end-of-turn functions. For tests. */
void loop_turn(struct loop *loop, bp_span wait);
/* The clock as read when first asked for in this turn. */
bp_time loop_now(struct loop *loop);
/* The same of the wall clock. */
bp_date loop_date(struct loop *loop);

/* Thread-safe; see bp_post(). */
bool loop_post(struct loop *loop, void (*function)(void *argument), void *argument);

/* Intrusive: called once at the end of the current turn (or of the next when none runs), in the order added; adding twice is
 * adding once. May be added from any callback. */
struct loop_task {
    struct loop_task *next;
    void (*function)(struct loop_task *task);
    bool queued;
};
void loop_at_turn_end(struct loop *loop, struct loop_task *task);
/* Takes it back, for an owner that goes away: O(queued). */
void loop_task_clear(struct loop *loop, struct loop_task *task);

/* Intrusive coarse deadline: fires at most 100 ms late, never early. Setting it again moves it, in O(1), with no system call. */
struct loop_deadline {
    struct loop_deadline *prev, *next;
    void (*function)(struct loop_deadline *deadline);
    bp_time at;
    bool armed;
};
void loop_deadline_set(struct loop *loop, struct loop_deadline *deadline, bp_time at);
void loop_deadline_clear(struct loop *loop, struct loop_deadline *deadline);

/* Fibers of bp_spawn() by host are joined here: cancels them and, on a fiber, waits for their end. */
void loop_join_spawned(struct loop *loop, struct bp_host *host);
/* Frees the timers of a host; NULL: all. */
void loop_free_timers(struct loop *loop, const struct bp_host *host);

struct loop_offload_stats {
    uint64_t queued, running, done, refused;
    uint64_t threads; /* started */
    uint64_t waited;  /* nanoseconds in the queue, of those that got a thread */
};
struct loop_offload_stats loop_offload_stats(const struct loop *loop);

#endif
