/* SPDX-License-Identifier: MIT */
/* A map from addresses to what was made of what lies there: lock-free to read, only growing, open addressing. */
#ifndef CORE_SCHEMA_ADDRESS_MAP_H
#define CORE_SCHEMA_ADDRESS_MAP_H

#include <stdatomic.h>
#include <stdbool.h>

struct address_slots;
struct address_map {
    _Atomic(struct address_slots *) slots;
};

/* NULL when absent. Any thread. */
const void *address_map_get(struct address_map *map, const void *key);
/* The caller holds a lock that all who put share. The key is absent. False when out of memory. */
bool address_map_put(struct address_map *map, const void *key, const void *value);

#endif
