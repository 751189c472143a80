/* SPDX-License-Identifier: MIT */
/* Memory that all workers share and that outlives each of them. */
#ifndef BACKPLANE_SHARED_H
#define BACKPLANE_SHARED_H

#include <pthread.h>

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

/* This worker's number, 0 to BP_WORKER_SLOTS - 1; a replacement of a dead worker takes its number. For cells of one's own. */
unsigned bp_worker_slot(void);
#define BP_WORKER_SLOTS 64u

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

#ifdef __cplusplus
}
#endif
#endif
