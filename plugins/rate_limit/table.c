/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "backplane/hash.h"
#include "backplane/shared.h"
#include "backplane/uuid.h"

#define LINE 64u
#define LOCKS 256u /* sets share them */

struct lock {
    _Alignas(LINE) struct bp_mutex mutex;
};

struct set {
    _Alignas(LINE) uint64_t tags[TABLE_WAYS]; /* the client's hash; meaningless where the cell has expired */
    struct table_cell cells[TABLE_WAYS];
    struct table_cell crowd;
};

struct table {
    struct bp_mutex mutex; /* guards the key's making */
    bool prepared;
    uint32_t set_mask;
    uint8_t key[BP_HASH_KEY];
    struct lock locks[LOCKS];
    struct set sets[];
};

static uint32_t set_count(uint32_t clients)
{
    uint32_t count = 1;
    while (count * TABLE_WAYS < clients)
        count *= 2;
    return count;
}

size_t table_size(uint32_t clients)
{
    return sizeof(struct table) + set_count(clients) * sizeof(struct set);
}

void table_prepare(struct table *table, uint32_t clients)
{
    (void)bp_mutex_lock(&table->mutex);
    if (!table->prepared) { /* set last: who died in the middle leaves nothing that counts */
        table->set_mask = set_count(clients) - 1;
        bp_random(table->key, sizeof(table->key));
        table->prepared = true;
    }
    bp_mutex_unlock(&table->mutex);
}

static struct bp_mutex *lock_of(struct table *table, uint32_t set)
{
    return &table->locks[set % LOCKS].mutex;
}

void table_lock(struct table *table, bp_str client, bp_time now, struct table_place *ret_place)
{
    struct table_place place = {.table = table};
    uint64_t hash[2];
    uint32_t free_way = TABLE_WAYS;

    bp_hash_wide(table->key, client, hash);
    place.set = (uint32_t)hash[0] & table->set_mask;
    struct set *set = &table->sets[place.set];
    /* A worker that died here has left a count that is one off at most. */
    (void)bp_mutex_lock(lock_of(table, place.set));
    for (uint32_t way = 0; way < TABLE_WAYS; way++) {
        if (set->cells[way].expires <= now) {
            if (free_way == TABLE_WAYS)
                free_way = way;
        } else if (set->tags[way] == hash[1]) {
            place.cell = &set->cells[way];
            *ret_place = place;
            return;
        }
    }
    if (free_way < TABLE_WAYS) {
        set->tags[free_way] = hash[1];
        place.cell = &set->cells[free_way];
    } else {
        place.cell = &set->crowd;
        place.crowded = true;
    }
    if (place.cell->expires <= now)
        *place.cell = (struct table_cell){0};
    *ret_place = place;
}

void table_unlock(const struct table_place *place)
{
    bp_mutex_unlock(lock_of(place->table, place->set));
}
