/* SPDX-License-Identifier: MIT */
/* Memory that all workers share and that outlives each of them. */
#ifndef BACKPLANE_SHARED_H
#define BACKPLANE_SHARED_H

#include <pthread.h>

#include "backplane/clock.h"
#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bp_host;

/*
 * In start only (or init, where `check` gets private memory). The region of this name: zeroed when it is new, the same
 * bytes in every worker. It is at another address in every process: store offsets, never pointers. Another
 * layout_version or size is a new region. 64-byte aligned. name: prefix it with the stage's or instance's name. NULL when
 * shared memory is full (server.shared_memory). A crash may leave it half-written: use atomics, or a robust mutex.
 * Suspends: no.
 */
void *bp_shared(struct bp_host *host, const char *name, uint32_t layout_version, size_t size);

/* When the server began, which its workers may have done later: its counters count from then on, whichever of them writes them. Thread-safe. */
bp_date bp_server_began(void);

/* This worker's number, 0 to BP_WORKER_SLOTS - 1; a replacement of a dead worker takes its number. For cells of one's own. */
unsigned bp_worker_slot(void);
#define BP_WORKER_SLOTS 128u

/* A process-shared robust mutex in a region. lock returns true when the previous owner died while holding it: make the
 * state it guards consistent. Zeroed memory is a valid, unlocked one. Blocks the loop for as long as the other side
 * holds it: keep that to a few instructions. */
struct bp_mutex {
    uint32_t state;
    uint32_t spare;
    pthread_mutex_t mutex;
};
bool bp_mutex_lock(struct bp_mutex *mutex);
void bp_mutex_unlock(struct bp_mutex *mutex);

/* In a region: what one worker of the server does for all of them, say to measure what they would all measure alike. Zeroed
 * memory is one that nobody has. take: whether it is this worker's; it stays with the worker that has it for as long as that
 * takes it again within patience, and is then whoever's takes it first. So two may believe to have it for a moment, where one
 * was held up. leave, in stop: the next one need not wait. Neither suspends nor blocks. */
struct bp_duty {
    uint32_t worker; /* its slot and 1; 0: nobody */
    uint32_t spare;
    bp_time taken;
};
bool bp_duty_take(struct bp_duty *duty, bp_span patience);
void bp_duty_leave(struct bp_duty *duty);

#ifdef __cplusplus
}
#endif
#endif
