/* SPDX-License-Identifier: MIT */
#include "tags.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "backplane/hash.h"
#include "backplane/status.h"
#include "backplane/uuid.h"

#define LINE 64u
#define SLOTS 6u
#define NO_SLOT SLOTS

/* A slot is one process's mark: the time until which it counts, 0 when it is free. */
struct tag_cell {
    _Alignas(LINE) _Atomic uint64_t generation;
    _Atomic bp_time crowded_until; /* of the processes that found no free slot, and tags_forbid(); never taken back */
    _Atomic bp_time slots[SLOTS];
};
_Static_assert(sizeof(struct tag_cell) == LINE, "a cell is a cache line");

struct tag_table {
    _Alignas(LINE) _Atomic bp_time distrusted_until;
    struct tag_cell cells[TAG_CELLS];
};

/* The marks of this process on a cell share one slot. */
struct tag_own {
    bp_time until; /* what the slot holds as long as it is ours */
    uint32_t count;
    uint32_t slot;
};

size_t tags_size(void)
{
    return sizeof(struct tag_table);
}

int tags_init(struct tags *tags, void *region)
{
    tags->own = calloc(TAG_CELLS, sizeof(*tags->own));
    tags->table = region;
    return tags->own ? 0 : BP_NOMEM;
}

void tags_deinit(struct tags *tags)
{
    free(tags->own);
    *tags = (struct tags){0};
}

/* Every worker must find the same cell, so the key is no secret; what can be written under a tag is not the client's choice. */
uint32_t tags_cell(bp_str tag)
{
    static const uint8_t key[BP_HASH_KEY] = "cache tag cells";
    return (uint32_t)bp_hash(key, tag) & (TAG_CELLS - 1);
}

static bool is_marked(struct tag_cell *cell, bp_time now)
{
    if (atomic_load(&cell->crowded_until) > now)
        return true;
    for (uint32_t i = 0; i < SLOTS; i++)
        if (atomic_load(&cell->slots[i]) > now)
            return true;
    return false;
}

bool tags_read(const struct tags *tags, uint32_t cell, bp_time now, uint64_t *ret_generation)
{
    uint64_t generation = atomic_load(&tags->table->cells[cell].generation);
    if (is_marked(&tags->table->cells[cell], now))
        return false;
    *ret_generation = generation;
    return true;
}

bool tags_holds(const struct tags *tags, uint32_t cell, bp_time now, uint64_t generation)
{
    uint64_t current;
    return tags_read(tags, cell, now, &current) && current == generation;
}

static void renew(struct tag_cell *cell)
{
    uint64_t generation;
    bp_random(&generation, sizeof(generation));
    atomic_store(&cell->generation, generation);
}

static void raise(_Atomic bp_time *time, bp_time to)
{
    bp_time before = atomic_load(time);
    while (before < to && !atomic_compare_exchange_weak(time, &before, to))
        ;
}

static uint32_t claim(struct tag_cell *cell, bp_time now, bp_time until)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        bp_time before = atomic_load(&cell->slots[i]);
        if (before <= now && atomic_compare_exchange_strong(&cell->slots[i], &before, until))
            return i;
    }
    raise(&cell->crowded_until, until);
    return NO_SLOT;
}

void tags_extend(struct tags *tags, uint32_t cell, bp_time now, bp_time until)
{
    struct tag_own *own = &tags->own[cell];
    bp_time held = own->until;
    if (until <= held && held > now)
        return;
    /* What has expired may be another's by now. */
    if (own->slot == NO_SLOT || held == 0 ||
        !atomic_compare_exchange_strong(&tags->table->cells[cell].slots[own->slot], &held, until))
        own->slot = claim(&tags->table->cells[cell], now, until);
    own->until = until;
}

void tags_mark(struct tags *tags, uint32_t cell, bp_time now, bp_time until)
{
    struct tag_own *own = &tags->own[cell];
    if (own->count++ == 0)
        own->until = 0;
    tags_extend(tags, cell, now, until);
    renew(&tags->table->cells[cell]);
}

void tags_unmark(struct tags *tags, uint32_t cell, bool changed)
{
    struct tag_own *own = &tags->own[cell];
    bp_time held = own->until;
    if (changed)
        renew(&tags->table->cells[cell]);
    if (--own->count == 0 && own->slot != NO_SLOT)
        atomic_compare_exchange_strong(&tags->table->cells[cell].slots[own->slot], &held, 0);
}

void tags_forbid(struct tags *tags, uint32_t cell, bp_time until)
{
    raise(&tags->table->cells[cell].crowded_until, until);
}

void tags_distrust(struct tags *tags, bp_time until)
{
    raise(&tags->table->distrusted_until, until);
}

bool tags_distrusted(const struct tags *tags, bp_time now)
{
    return atomic_load(&tags->table->distrusted_until) > now;
}
