/* SPDX-License-Identifier: MIT */
/* The core's side of arenas: making, resetting and freeing them. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include "backplane/arena.h"

/* Chunks come from a free list per thread where possible; a fresh arena allocates nothing until used. NULL: no memory. */
struct bp_arena *arena_new(void);
/* The same of chunks of so many bytes, which are not kept: for what lasts. */
struct bp_arena *arena_new_small(size_t chunk);
/* Forgets everything allocated and keeps the first chunk. Under ASan the memory is poisoned. */
void arena_reset(struct bp_arena *arena);
/* As bp_arena_alloc(), not zeroed. */
void *arena_take(struct bp_arena *arena, size_t size);
/* Accepts NULL, returns NULL. */
struct bp_arena *arena_free(struct bp_arena *arena);
/* Bytes held from malloc. */
size_t arena_held(const struct bp_arena *arena);

/* Of this thread: bytes that arenas hold, and those kept for the next ones. */
struct arena_stats {
    uint64_t used, pooled;
};
struct arena_stats arena_stats(void);

#endif
