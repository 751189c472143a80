/* SPDX-License-Identifier: MIT */
/*
 * How a jobs worker learns at once that there is something to do. Workers of one server share a word and a counter for each queue (queues
 * whose names collide share one, which costs a look too many); a thread of each jobs worker sleeps on the word (futex(2)) and posts to its
 * loop. What other servers enqueue arrives by a notification of the database where it has such.
 */
#ifndef QUEUE_WAKE_H
#define QUEUE_WAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "backplane/backplane.h"
#include "backplane/shared.h"

#define WAKE_LAYOUT 3u
#define WAKE_CELLS 64u
#define WAKE_SCHEDULED WAKE_CELLS /* the cell of what is not due yet */

struct wake_shared {
    _Atomic uint32_t word; /* changes with each wake */
    uint32_t spare[15];
    _Atomic uint32_t cells[WAKE_CELLS + 16];  /* changes when there is something in one of its queues */
    _Atomic uint32_t hungry[BP_WORKER_SLOTS]; /* 1: a jobs worker is there, with places free */
    bp_uuid workers[BP_WORKER_SLOTS]; /* whose leases the jobs worker of this slot has; each written by that one only */
    pid_t pids[BP_WORKER_SLOTS];      /* and its process */
    struct bp_duty measuring;         /* of the worker that says what is in the queues */
};

struct wake {
    struct wake_shared *shared;
    struct bp_host *host;
    void (*function)(void *argument);
    void *argument;
    atomic_bool stop, posted;
    bool running;
    pthread_t thread;
};

/* Attaches the region. In start. */
int wake_attach(struct wake *wake, struct bp_host *host);
/* From now on calls function(argument) on the loop after each wake, soon. */
int wake_start(struct wake *wake, void (*function)(void *argument), void *argument);
/* Ends the thread. Accepts one that was not started. */
void wake_stop(struct wake *wake);
/* The cell of a queue's name. Pure. */
unsigned wake_cell(bp_str name);
/* There is something in the queue with this cell: wakes the jobs workers of this server. */
void wake_up(struct wake *wake, unsigned cell);
/* Whether a jobs worker of this server would take a job at once. */
bool wake_is_hungry(const struct wake *wake);

#endif
