/* SPDX-License-Identifier: MIT */
/* Shared memory: one memfd of fixed virtual size, made by the supervisor, mapped by every worker, handed out in named regions. */
#ifndef CORE_SUPERVISOR_SHARED_H
#define CORE_SUPERVISOR_SHARED_H

#include "backplane/shared.h"

struct shared;
/* The supervisor's: creates the memfd. size: virtual bytes. */
int shared_new(size_t size, struct shared **ret_shared);
/* A worker's: maps an inherited descriptor; regions are asked for over the control socket (see control.h). */
int shared_attach(int memory_fd, int control_fd, unsigned slot, struct shared **ret_shared);
/* check's and tests': anonymous memory of this process only. */
int shared_private(size_t size, struct shared **ret_shared);
struct shared *shared_free(struct shared *shared);
int shared_fd(const struct shared *shared);
unsigned shared_slot(const struct shared *shared);
/* The region, created when missing; see bp_shared(). *ret_new: zeroed just now. NULL when full. */
void *shared_region(struct shared *shared, const char *name, uint32_t layout_version, size_t size, bool *ret_new);
/* Walks the regions, for dumps. */
void shared_each(struct shared *shared, void (*function)(const char *name, size_t size, void *argument),
                 void *argument);

#endif
