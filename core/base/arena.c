/* SPDX-License-Identifier: MIT */
/* A bump allocator over chunks. Chunks of the usual size are kept on a free list per thread. */
#include "core/base/arena.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/sanitize.h"

#define ALIGNMENT ((size_t)16)
#define CHUNK_BYTES ((size_t)8192)
#define POOLED_CHUNKS 64u
/* Under ASan a hidden gap follows each piece, so that running past its end is caught. */
#define GAP (SANITIZE_ADDRESS ? ALIGNMENT : (size_t)0)

struct chunk {
    struct chunk *next;
    size_t size; /* from malloc, this header included */
    _Alignas(16) unsigned char data[];
};

struct bp_arena {
    struct chunk *chunks; /* the first is the one being filled */
    size_t used;          /* bytes of data taken from it */
    size_t held;
    size_t chunk; /* usual size of one */
};

static _Thread_local struct {
    struct chunk *chunks;
    unsigned count;
    size_t bytes; /* that arenas hold */
    bool registered;
} pool;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;

static void pool_free(void *unused)
{
    (void)unused;
    while (pool.chunks) {
        struct chunk *chunk = pool.chunks;
        pool.chunks = chunk->next;
        free(chunk);
    }
    pool.count = 0;
    pool.registered = false;
}

static void make_key(void)
{
    if (pthread_key_create(&thread_end, pool_free) != 0)
        abort();
}

static void register_thread(void)
{
    pthread_once(&once, make_key);
    pool.registered = pthread_setspecific(thread_end, &pool) == 0;
}

static struct chunk *chunk_get(size_t size)
{
    struct chunk *chunk = NULL;
    pool.bytes += size;
    if (size == CHUNK_BYTES && pool.chunks) {
        chunk = pool.chunks;
        pool.chunks = chunk->next;
        pool.count--;
        return chunk;
    }
    chunk = malloc(size);
    if (!chunk) {
        pool.bytes -= size;
        return NULL;
    }
    chunk->size = size;
    memory_hide(chunk->data, size - sizeof(*chunk));
    return chunk;
}

static void chunk_put(struct chunk *chunk)
{
    pool.bytes -= chunk->size;
    memory_hide(chunk->data, chunk->size - sizeof(*chunk));
    if (chunk->size == CHUNK_BYTES && pool.count < POOLED_CHUNKS) {
        if (!pool.registered)
            register_thread();
        if (pool.registered) {
            chunk->next = pool.chunks;
            pool.chunks = chunk;
            pool.count++;
            return;
        }
    }
    memory_show(chunk->data, chunk->size - sizeof(*chunk));
    free(chunk);
}

struct bp_arena *arena_new(void)
{
    return arena_new_small(CHUNK_BYTES);
}

struct bp_arena *arena_new_small(size_t chunk)
{
    struct bp_arena *arena = calloc(1, sizeof(*arena));
    if (arena)
        arena->chunk = chunk;
    return arena;
}

void arena_reset(struct bp_arena *arena)
{
    struct chunk *kept = NULL;
    while (arena->chunks) {
        struct chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        if (!kept && chunk->size == arena->chunk) {
            kept = chunk;
            memory_hide(chunk->data, chunk->size - sizeof(*chunk));
        } else {
            chunk_put(chunk);
        }
    }
    if (kept)
        kept->next = NULL;
    arena->chunks = kept;
    arena->held = kept ? kept->size : 0;
    arena->used = 0;
}

struct bp_arena *arena_free(struct bp_arena *arena)
{
    if (!arena)
        return NULL;
    while (arena->chunks) {
        struct chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        chunk_put(chunk);
    }
    free(arena);
    return NULL;
}

size_t arena_held(const struct bp_arena *arena)
{
    return arena->held;
}

struct arena_stats arena_stats(void)
{
    return (struct arena_stats){.used = pool.bytes, .pooled = pool.count * CHUNK_BYTES};
}

/* A large piece goes behind the chunk being filled, which stays in use. */
static void *alloc_large(struct bp_arena *arena, size_t size)
{
    struct chunk *chunk;
    if (size > PTRDIFF_MAX - sizeof(*chunk) - GAP)
        return NULL;
    chunk = chunk_get(sizeof(*chunk) + size + GAP);
    if (!chunk)
        return NULL;
    if (arena->chunks) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        chunk->next = NULL;
        arena->chunks = chunk;
        arena->used = chunk->size - sizeof(*chunk);
    }
    arena->held += chunk->size;
    return chunk->data;
}

/* A size of 0 still takes a piece, so that the pointer is not NULL. */
void *arena_take(struct bp_arena *arena, size_t size)
{
    unsigned char *piece;
    size_t rounded;
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    rounded = size ? (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : ALIGNMENT;
    if (rounded > arena->chunk / 2) { /* one of its own, so that at most half a chunk is ever left unused */
        piece = alloc_large(arena, rounded);
        if (!piece)
            return NULL;
    } else {
        if (!arena->chunks || arena->chunks->size - sizeof(struct chunk) - arena->used < rounded + GAP) {
            struct chunk *chunk = chunk_get(arena->chunk);
            if (!chunk)
                return NULL;
            chunk->next = arena->chunks;
            arena->chunks = chunk;
            arena->used = 0;
            arena->held += chunk->size;
        }
        piece = arena->chunks->data + arena->used;
        arena->used += rounded + GAP;
    }
    memory_show(piece, size);
    return piece;
}

void *bp_arena_alloc(struct bp_arena *arena, size_t size)
{
    void *piece = arena_take(arena, size);
    return piece ? memset(piece, 0, size) : NULL;
}

void *bp_arena_array(struct bp_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return bp_arena_alloc(arena, bytes);
}

bp_str bp_arena_copy(struct bp_arena *arena, bp_str text)
{
    char *copy = text.len < SIZE_MAX ? arena_take(arena, text.len + 1) : NULL;
    if (!copy)
        return bp_str_n(NULL, 0);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return bp_str_n(copy, text.len);
}

bp_str bp_arena_printf(struct bp_arena *arena, const char *format, ...)
{
    char first[256];
    char *text;
    va_list arguments;
    int len;
    va_start(arguments, format);
    len = vsnprintf(first, sizeof(first), format, arguments);
    va_end(arguments);
    if (len < 0)
        return bp_str_n(NULL, 0);
    if ((size_t)len < sizeof(first))
        return bp_arena_copy(arena, bp_str_n(first, (size_t)len));
    text = arena_take(arena, (size_t)len + 1);
    if (!text)
        return bp_str_n(NULL, 0);
    va_start(arguments, format);
    vsnprintf(text, (size_t)len + 1, format, arguments);
    va_end(arguments);
    return bp_str_n(text, (size_t)len);
}
