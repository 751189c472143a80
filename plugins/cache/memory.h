/* SPDX-License-Identifier: MIT */
/*
 * Replies in a worker's own memory: a hash table over a list ordered by use, bounded in bytes. All that an entry costs counts: its
 * struct, its texts, the allocator's header, and the table itself. An entry that a reply still borrows when it makes room counts until
 * it is given back.
 */
#ifndef CACHE_MEMORY_H
#define CACHE_MEMORY_H

#include "backplane/clock.h"
#include "key.h"
#include "record.h"

struct memory;

struct entry {
    struct entry *chain;         /* of the hash table */
    struct entry *newer, *older; /* by use */
    struct memory *memory;       /* it counts there; NULL: it never was in a table */
    struct digest digest;
    uint64_t generation; /* of its tag, taken before its data were read */
    bp_time stored, fresh_until, stale_until;
    uint32_t references;
    bool listed;
    size_t cost;
    struct reply reply; /* slices of record */
    size_t record_len;
    char record[];
};

/* A copy of the reply with one reference. NULL when out of memory, or when it is too large for a record. */
struct entry *entry_new(const struct digest *digest, const struct reply *reply);
struct entry *entry_ref(struct entry *entry);
/* Accepts NULL. Returns NULL. */
struct entry *entry_unref(struct entry *entry);

/* BP_NOMEM or 0. */
int memory_new(size_t bytes, struct memory **ret_memory);
/* Accepts NULL. Returns NULL. No entry is borrowed any more. */
struct memory *memory_free(struct memory *memory);

/* Borrowed until the next call; entry_ref() it. NULL when there is none of this generation that may be used at that time; one that
 * never may be again makes room. */
struct entry *memory_find(struct memory *memory, const struct digest *digest, uint64_t generation, bp_time now);
/* Takes a reference of its own, replaces one of the same digest, and makes room by dropping what was not used for longest. False when
 * there cannot be room. */
bool memory_put(struct memory *memory, struct entry *entry, bp_time now);

struct memory_stats {
    size_t bytes, entries;
    uint64_t evictions; /* of entries that could still have been used */
};
struct memory_stats memory_stats(const struct memory *memory);

#endif
