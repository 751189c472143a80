/* SPDX-License-Identifier: MIT */
/*
 * Memory that dies together: a request's arena lives until its fiber has returned and its reply was sent.
 * Nothing is freed one by one. Not thread-safe; lent to one thread at a time. Where one comes from: bp_arena(rq) in a request,
 * bp_fiber_arena() on any other fiber. No function suspends.
 */
#ifndef BACKPLANE_ARENA_H
#define BACKPLANE_ARENA_H

#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque. */
struct bp_arena;

/* size bytes, zeroed, aligned to 16 bytes. NULL when out of memory: return BP_NOMEM. */
void *bp_arena_alloc(struct bp_arena *arena, size_t size);
/* Zeroed array of count items; NULL when out of memory or when count * size overflows. */
void *bp_arena_array(struct bp_arena *arena, size_t count, size_t size);
/* A copy with a NUL behind it. ptr is NULL when out of memory. */
bp_str bp_arena_copy(struct bp_arena *arena, bp_str text);
/* printf into the arena, with a NUL behind it. ptr is NULL when out of memory. */
bp_str bp_arena_printf(struct bp_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif
#endif
