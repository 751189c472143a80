/* SPDX-License-Identifier: MIT */
/*
 * How many passwords may be hashed at one time, over all workers: each hash takes 19 MiB and a processor. The counts are in shared
 * memory, one cell per worker; a worker that died is forgotten when its replacement starts and clears its cell.
 */
#ifndef AUTH_HASH_SLOTS_H
#define AUTH_HASH_SLOTS_H

#include "backplane/shared.h"
#include "backplane/wait.h"

#define HASH_SLOTS_LAYOUT 1u

struct hash_slots_shared {
    struct bp_mutex mutex;
    struct {
        uint32_t held, waiting;
    } workers[BP_WORKER_SLOTS];
};

struct hash_waiter;
struct bp_series;

struct hash_slots {
    struct hash_slots_shared *shared;
    uint32_t worker;       /* whose cell is ours */
    uint32_t limit, queue; /* hashes at a time; requests that may wait for one */
    struct hash_waiter *first, *last;
    /* Slots that were taken, that this worker has, requests that wait, and that found the queue full. NULL: not shown. */
    struct bp_series *taken, *used, *waiting, *refused;
};

/* At most as many as half of this memory holds, and as there are processors; at least one. */
uint32_t hash_slots_automatic(uint64_t memory, unsigned processors);
/* Clears the worker's cell. */
void hash_slots_init(struct hash_slots *slots, struct hash_slots_shared *shared, uint32_t worker, uint32_t limit,
                     uint32_t queue);
/* Suspends until a slot is free. 0, BP_BUSY when the queue is full, BP_CANCELED, BP_TIMEOUT. */
int hash_slots_acquire(struct hash_slots *slots);
void hash_slots_release(struct hash_slots *slots);

#endif
