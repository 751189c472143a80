/* SPDX-License-Identifier: MIT */
#include "hash_slots.h"

#include "backplane/metric.h"

#include "backplane/status.h"
#include "password.h"

/* Another worker's release cannot wake a fiber of ours: the first in our line looks again this often, a small part of the time
 * that a hash takes. All workers do the same, so that none is starved by another that always has somebody waiting. */
#define POLL (4 * BP_MILLISECOND)

/* On the stack of the waiting fiber. */
struct hash_waiter {
    struct hash_waiter *next, *previous;
    bp_event first; /* set when it has become the first of the line */
};

uint32_t hash_slots_automatic(uint64_t memory, unsigned processors)
{
    uint64_t fit = memory / 2 / PASSWORD_MEMORY;
    if (fit > processors)
        fit = processors;
    return fit > 0 ? (uint32_t)fit : 1;
}

void hash_slots_init(struct hash_slots *slots, struct hash_slots_shared *shared, uint32_t worker, uint32_t limit,
                     uint32_t queue)
{
    *slots = (struct hash_slots){.shared = shared, .worker = worker, .limit = limit, .queue = queue};
    bp_mutex_lock(&shared->mutex);
    shared->workers[worker].held = 0;
    shared->workers[worker].waiting = 0;
    bp_mutex_unlock(&shared->mutex);
}

/* Whoever died with the mutex has at most not counted itself: each change is one store to a cell of its own. */
static bool try_take(struct hash_slots *slots)
{
    struct hash_slots_shared *shared = slots->shared;
    uint32_t held = 0;
    bp_mutex_lock(&shared->mutex);
    for (size_t i = 0; i < BP_WORKER_SLOTS; i++)
        held += shared->workers[i].held;
    bool taken = held < slots->limit;
    if (taken)
        shared->workers[slots->worker].held++;
    bp_mutex_unlock(&shared->mutex);
    if (taken && slots->taken) {
        bp_metric_add(slots->taken, 1);
        bp_metric_add(slots->used, 1);
    }
    return taken;
}

static bool try_wait(struct hash_slots *slots)
{
    struct hash_slots_shared *shared = slots->shared;
    uint32_t waiting = 0;
    bp_mutex_lock(&shared->mutex);
    for (size_t i = 0; i < BP_WORKER_SLOTS; i++)
        waiting += shared->workers[i].waiting;
    bool room = waiting < slots->queue;
    if (room)
        shared->workers[slots->worker].waiting++;
    bp_mutex_unlock(&shared->mutex);
    if (slots->taken)
        bp_metric_add(room ? slots->waiting : slots->refused, 1);
    return room;
}

void hash_slots_release(struct hash_slots *slots)
{
    bp_mutex_lock(&slots->shared->mutex);
    slots->shared->workers[slots->worker].held--;
    bp_mutex_unlock(&slots->shared->mutex);
    if (slots->taken)
        bp_metric_add(slots->used, -1);
}

static void enter_line(struct hash_slots *slots, struct hash_waiter *waiter)
{
    waiter->previous = slots->last;
    if (slots->last)
        slots->last->next = waiter;
    else
        slots->first = waiter;
    slots->last = waiter;
}

static void leave_line(struct hash_slots *slots, struct hash_waiter *waiter)
{
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        slots->last = waiter->previous;
    if (waiter->previous) {
        waiter->previous->next = waiter->next;
    } else {
        slots->first = waiter->next;
        if (slots->first)
            bp_event_set(&slots->first->first);
    }
    bp_mutex_lock(&slots->shared->mutex);
    slots->shared->workers[slots->worker].waiting--;
    bp_mutex_unlock(&slots->shared->mutex);
    if (slots->taken)
        bp_metric_add(slots->waiting, -1);
}

int hash_slots_acquire(struct hash_slots *slots)
{
    if (!slots->first && try_take(slots))
        return 0;
    if (!try_wait(slots))
        return BP_BUSY;
    struct hash_waiter waiter = {0};
    enter_line(slots, &waiter);
    int status = 0;
    if (slots->first != &waiter)
        status = bp_event_wait(&waiter.first, BP_FOREVER);
    while (status == 0 && !try_take(slots))
        status = bp_sleep(POLL);
    leave_line(slots, &waiter);
    return status;
}
