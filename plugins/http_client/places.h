/* SPDX-License-Identifier: MIT */
/* So many exchanges at a time, and so many that wait for their turn, first come, first served. */
#ifndef HTTP_CLIENT_PLACES_H
#define HTTP_CLIENT_PLACES_H

#include "backplane/wait.h"

struct place_waiter;

struct places {
    uint32_t max, taken;
    uint32_t queue_max, queued;
    struct place_waiter *first, **last;
};

void places_init(struct places *places, uint32_t max, uint32_t queue_max);
/* Suspends while all are taken, until the deadline at most. 0: one is the caller's until places_leave(). BP_BUSY: too many wait. BP_TIMEOUT,
 * BP_CANCELED. */
int places_enter(struct places *places, bp_time deadline);
/* The same without waiting: BP_BUSY when all are taken. */
int places_enter_at_once(struct places *places);
void places_leave(struct places *places);

#endif
