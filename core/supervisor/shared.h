/* SPDX-License-Identifier: MIT */
/* Shared memory: one memfd of fixed virtual size, made by the supervisor, mapped by every worker, handed out in named regions. */
#ifndef CORE_SUPERVISOR_SHARED_H
#define CORE_SUPERVISOR_SHARED_H

#include "backplane/clock.h"
#include "backplane/shared.h"

struct control;
struct shared;

/* The supervisor's: creates the memfd. size: virtual bytes. */
int shared_new(size_t size, struct shared **ret_shared);
/* A worker's: maps an inherited descriptor (and closes it); regions are asked for over control, which outlives this. */
int shared_attach(int memory_fd, struct control *control, unsigned slot, struct shared **ret_shared);
/* check's and tests': anonymous memory of this process only; slot 0. */
int shared_private(size_t size, struct shared **ret_shared);
/* Forgets the metrics that live in it, too. Accepts NULL, returns NULL. */
struct shared *shared_free(struct shared *shared);
int shared_fd(const struct shared *shared);
/* Bytes, and those of them given out by this process. */
size_t shared_size(const struct shared *shared);
size_t shared_used(const struct shared *shared);
unsigned shared_slot(const struct shared *shared);
/* For tests: which slot bp_worker_slot() and the metrics write to from now on. */
void shared_set_slot(struct shared *shared, unsigned slot);
/* The latest that this process made or attached; NULL before. What functions without a host work on. */
struct shared *shared_current(void);

/* The region, created when missing; see bp_shared(). *ret_new: zeroed just now. NULL when full. */
void *shared_region(struct shared *shared, const char *name, uint32_t layout_version, size_t size, bool *ret_new);
/* The supervisor's answer to a worker: offset 0 when full. */
uint64_t shared_reserve(struct shared *shared, bp_str name, uint32_t layout_version, size_t size, bool *ret_new);
#define SHARED_NAME_MAX 127u

/* Walks the regions of a shared_new() or shared_private(). */
void shared_each(struct shared *shared, void (*function)(const char *name, void *memory, size_t size, void *argument),
                 void *argument);

/* The workers' sign of life: each stamps its own slot once a second, the supervisor reads. */
void shared_stamp(struct shared *shared, bp_time now);
bp_time shared_stamped(const struct shared *shared, unsigned slot);
void shared_stamp_clear(struct shared *shared, unsigned slot);

#endif
