/* SPDX-License-Identifier: MIT */
#include "core/schema/address_map.h"

#include <stdint.h>
#include <stdlib.h>

struct slot {
    _Atomic(const void *) key; /* written after value; NULL: free */
    const void *value;
};
struct address_slots {
    struct address_slots *smaller; /* outgrown, perhaps still being read: kept */
    unsigned bits;
    size_t count;
    struct slot slots[];
};

static size_t slot_of(const void *key, unsigned bits)
{
    return (size_t)(((uint64_t)(uintptr_t)key >> 3) * 0x9e3779b97f4a7c15u >> (64 - bits));
}

const void *address_map_get(struct address_map *map, const void *key)
{
    struct address_slots *table = atomic_load_explicit(&map->slots, memory_order_acquire);
    if (!table)
        return NULL;
    size_t mask = ((size_t)1 << table->bits) - 1;
    for (size_t i = slot_of(key, table->bits);; i = (i + 1) & mask) {
        const void *found = atomic_load_explicit(&table->slots[i].key, memory_order_acquire);
        if (found == key)
            return table->slots[i].value;
        if (!found)
            return NULL;
    }
}

static void put(struct address_slots *table, const void *key, const void *value)
{
    size_t mask = ((size_t)1 << table->bits) - 1;
    size_t i = slot_of(key, table->bits);
    while (atomic_load_explicit(&table->slots[i].key, memory_order_relaxed))
        i = (i + 1) & mask;
    table->slots[i].value = value;
    table->count++;
    atomic_store_explicit(&table->slots[i].key, key, memory_order_release);
}

static struct address_slots *grown(struct address_slots *old)
{
    unsigned bits = old ? old->bits + 1 : 6;
    size_t size = (size_t)1 << bits;
    struct address_slots *table = calloc(1, sizeof(*table) + size * sizeof(table->slots[0]));
    if (!table)
        return NULL;
    table->bits = bits;
    table->smaller = old;
    for (size_t i = 0; old && i < size / 2; i++)
        if (old->slots[i].key)
            put(table, old->slots[i].key, old->slots[i].value);
    return table;
}

bool address_map_put(struct address_map *map, const void *key, const void *value)
{
    struct address_slots *table = atomic_load_explicit(&map->slots, memory_order_relaxed);
    if (!table || 2 * (table->count + 1) > (size_t)1 << table->bits) {
        table = grown(table);
        if (!table)
            return false;
        atomic_store_explicit(&map->slots, table, memory_order_release);
    }
    put(table, key, value);
    return true;
}
