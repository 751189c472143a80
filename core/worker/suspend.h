/* SPDX-License-Identifier: MIT */
/* What waits are made of. A fiber that waits is woken once, by whoever comes first; it runs again at the end of the turn. */
#ifndef CORE_WORKER_SUSPEND_H
#define CORE_WORKER_SUSPEND_H

#include "core/worker/fiber.h"

/* Suspends the current fiber until fiber_wake() and returns the status given there. Cancellable: returns the fiber's status
 * at once when it was cancelled before, and is woken by fiber_cancel(). */
int fiber_suspend(bool cancellable);
/* Lets a suspended fiber go on at the end of this turn. Nothing happens when it does not wait or was woken already. */
void fiber_wake(struct bp_fiber *fiber, int status);
/* Goes to the end of the turn's queue. */
int fiber_yield(void);

/* fiber_start() in two steps, for those who may be on a fiber: takes a fiber, and lets it begin at the end of the turn. */
int fiber_prepare(struct loop *loop, const struct fiber_start *start, struct bp_fiber **ret_fiber);
void fiber_begin_later(struct bp_fiber *fiber);

/* Async-signal-safe. True when the address lies in the guard below the current fiber's stack. */
bool fiber_in_guard(const void *address);
const char *fiber_name(const struct bp_fiber *fiber);

#endif
