/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <stdlib.h>

#include "backplane/status.h"

#define TYPICAL_COST 2048u /* bytes an entry: one bucket for as many */
#define ALLOCATOR_HEADER 8u
#define SWEEP 4 /* expired entries freed on each put */

struct memory {
    size_t limit, bytes, count;
    uint64_t evictions;
    struct entry *newest, *oldest;
    size_t mask; /* buckets - 1 */
    struct entry *buckets[];
};

struct entry *entry_new(const struct digest *digest, const struct reply *reply)
{
    size_t len = record_size(reply);
    struct entry *entry = len > 0 ? malloc(sizeof(*entry) + len) : NULL;
    if (!entry)
        return NULL;
    *entry = (struct entry){.digest = *digest, .references = 1, .record_len = len};
    entry->cost = (sizeof(*entry) + len + ALLOCATOR_HEADER + 15) & ~(size_t)15;
    record_write(reply, entry->record);
    (void)record_read(bp_str_n(entry->record, len), &entry->reply);
    return entry;
}

struct entry *entry_ref(struct entry *entry)
{
    entry->references++;
    return entry;
}

struct entry *entry_unref(struct entry *entry)
{
    if (entry && --entry->references == 0) {
        if (entry->memory)
            entry->memory->bytes -= entry->cost;
        free(entry);
    }
    return NULL;
}

int memory_new(size_t bytes, struct memory **ret_memory)
{
    size_t buckets = 16;
    while (buckets * TYPICAL_COST < bytes)
        buckets *= 2;
    size_t own = sizeof(struct memory) + buckets * sizeof(struct entry *);
    struct memory *memory = calloc(1, own);
    if (!memory)
        return BP_NOMEM;
    memory->limit = bytes;
    memory->bytes = own;
    memory->mask = buckets - 1;
    *ret_memory = memory;
    return 0;
}

static struct entry **place_of(struct memory *memory, const struct digest *digest)
{
    size_t number;
    memcpy(&number, digest->bytes, sizeof(number));
    struct entry **place = &memory->buckets[number & memory->mask];
    while (*place && memcmp((*place)->digest.bytes, digest->bytes, sizeof(digest->bytes)) != 0)
        place = &(*place)->chain;
    return place;
}

static void unlist(struct memory *memory, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &memory->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &memory->oldest) = entry->newer;
}

static void list(struct memory *memory, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = memory->newest;
    *(memory->newest ? &memory->newest->newer : &memory->oldest) = entry;
    memory->newest = entry;
}

static void drop(struct memory *memory, struct entry *entry)
{
    *place_of(memory, &entry->digest) = entry->chain;
    unlist(memory, entry);
    memory->count--;
    entry_unref(entry);
}

struct memory *memory_free(struct memory *memory)
{
    while (memory && memory->newest)
        drop(memory, memory->newest);
    free(memory);
    return NULL;
}

struct entry *memory_find(struct memory *memory, const struct digest *digest, uint64_t generation, bp_time now)
{
    struct entry *entry = *place_of(memory, digest);
    if (!entry)
        return NULL;
    if (entry->generation != generation || entry->stale_until <= now) {
        drop(memory, entry);
        return NULL;
    }
    if (memory->newest != entry) {
        unlist(memory, entry);
        list(memory, entry);
    }
    return entry;
}

bool memory_put(struct memory *memory, struct entry *entry, bp_time now)
{
    struct entry *before = *place_of(memory, &entry->digest);
    if (before)
        drop(memory, before);
    for (int i = 0; i < SWEEP && memory->oldest && memory->oldest->stale_until <= now; i++)
        drop(memory, memory->oldest);
    while (memory->oldest && entry->cost > memory->limit - memory->bytes) {
        memory->evictions += memory->oldest->stale_until > now;
        drop(memory, memory->oldest);
    }
    if (memory->bytes > memory->limit || entry->cost > memory->limit - memory->bytes)
        return false;
    entry->memory = memory;
    memory->bytes += entry->cost;
    memory->count++;
    entry->chain = NULL;
    *place_of(memory, &entry->digest) = entry_ref(entry);
    list(memory, entry);
    return true;
}

struct memory_stats memory_stats(const struct memory *memory)
{
    return (struct memory_stats){.bytes = memory->bytes, .entries = memory->count, .evictions = memory->evictions};
}
