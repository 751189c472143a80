/* SPDX-License-Identifier: MIT */
/*
 * Fibers: small pooled stacks on one thread. The loop's code resumes a fiber; the fiber suspends back to whoever resumed
 * it. Stacks: 256 KiB mmap'ed with a 64 KiB guard. Started once with makecontext, switched with _setjmp/_longjmp; under
 * ASan/TSan with swapcontext and their annotations. One file: -U_FORTIFY_SOURCE.
 */
#ifndef CORE_WORKER_FIBER_H
#define CORE_WORKER_FIBER_H

#include "backplane/clock.h"
#include "backplane/wait.h"

struct bp_fiber;
struct bp_arena;
struct bp_request;
struct fiber_trace;
struct loop;
struct instance;

typedef void fiber_function(void *argument);

/* Takes a pooled fiber and runs function(argument) on it at once, until it first suspends or returns; then comes back. When the
 * function has returned, the fiber calls ended(argument) on the loop's own stack and goes back to the pool. arena: its
 * bp_fiber_arena(), owned by the caller. request: may be NULL. *ret_fiber (may be NULL) is set before the function runs.
 * BP_NOMEM or 0; BP_MISUSE from within another fiber: see bp_spawn(). */
struct fiber_start {
    fiber_function *function;
    fiber_function *ended; /* may be NULL */
    void *argument;
    struct bp_arena *arena;
    struct bp_request *request;
    bp_time deadline; /* bp_clock() time, or BP_FOREVER */
    const char *name; /* a literal, for dumps */
};
int fiber_start(struct loop *loop, const struct fiber_start *start, struct bp_fiber **ret_fiber);

/* NULL on the loop's own stack. */
struct bp_fiber *fiber_current(void);
struct bp_request *fiber_request(const struct bp_fiber *fiber);
struct bp_arena *fiber_arena(const struct bp_fiber *fiber);
struct loop *fiber_loop(const struct bp_fiber *fiber);
void fiber_set_deadline(struct bp_fiber *fiber, bp_time deadline);

/* Makes the current or the next cancellable wait of the fiber return status (BP_CANCELED or BP_TIMEOUT), and every one after
 * it. On the loop's thread. BP_CANCELED wins over BP_TIMEOUT. */
void fiber_cancel(struct bp_fiber *fiber, int status);
/* 0, or the status it was cancelled with. */
int fiber_canceled(const struct bp_fiber *fiber);

/* What runs now, for last words: set by whoever calls into a plugin, restored after. All may be NULL; literals or long-lived. */
struct fiber_place {
    const char *plugin; /* instance name */
    const char *hook;   /* "middleware", "handler", "start" … */
    const char *route;  /* template of the request being answered */
};
/* Also valid outside fibers (init, timers). Returns the previous place. Async-signal-safe to read. */
struct fiber_place fiber_enter(struct fiber_place place);
struct fiber_place fiber_place(void);
/* The same of one fiber, to be written on it. */
struct fiber_place *fiber_place_of(struct bp_fiber *fiber);

/* Its trace: see core/trace/trace.h. */
struct fiber_trace *fiber_trace_of(struct bp_fiber *fiber);

/* The transaction that bp_db_enlist() put the fiber's statements into; NULL: none. */
struct bp_tx;
struct bp_tx **fiber_enlisted(struct bp_fiber *fiber);

/* Stacks in use and pooled, for metrics and tests. */
struct fiber_stats {
    uint64_t live, pooled, started;
};
struct fiber_stats fiber_stats(void);
/* Frees the pool; at exit, so that leak checkers see nothing. */
void fiber_pool_free(void);

#endif
