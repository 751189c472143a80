/* SPDX-License-Identifier: MIT */
#include "failures.h"

#include <sodium.h>

#include "backplane/shared.h"
#include "backplane/uuid.h"

#define WAYS 8u
#define LINE 64u
#define LOCKS 64u /* sets share them */

struct cell {
    uint64_t tag;
    bp_time expires; /* 0: free */
    uint64_t count;
};

struct set {
    _Alignas(LINE) struct cell cells[WAYS];
};

struct failures {
    struct bp_mutex mutex; /* guards the key's making */
    bool prepared;
    uint32_t set_mask;
    unsigned char key[crypto_shorthash_siphashx24_KEYBYTES];
    struct {
        _Alignas(LINE) struct bp_mutex mutex;
    } locks[LOCKS];
    struct set sets[];
};

static uint32_t set_count(uint32_t counts)
{
    uint32_t sets = 1;
    while (sets * WAYS < counts)
        sets *= 2;
    return sets;
}

size_t failures_size(uint32_t counts)
{
    return sizeof(struct failures) + set_count(counts) * sizeof(struct set);
}

void failures_prepare(struct failures *failures, uint32_t counts)
{
    (void)bp_mutex_lock(&failures->mutex);
    if (!failures->prepared) { /* set last: who died in the middle leaves nothing that counts */
        failures->set_mask = set_count(counts) - 1;
        bp_random(failures->key, sizeof(failures->key));
        failures->prepared = true;
    }
    bp_mutex_unlock(&failures->mutex);
}

struct place {
    struct bp_mutex *mutex;
    struct cell *cell; /* NULL: nothing is counted under the name */
};

static struct cell *find(struct set *set, uint64_t tag, bp_time now)
{
    for (uint32_t way = 0; way < WAYS; way++)
        if (set->cells[way].tag == tag && set->cells[way].expires > now)
            return &set->cells[way];
    return NULL;
}

static struct cell *make_room(struct set *set, uint64_t tag, bp_span window, bp_time now)
{
    struct cell *room = &set->cells[0];
    for (uint32_t way = 0; way < WAYS; way++) {
        struct cell *cell = &set->cells[way];
        if (cell->expires <= now) {
            room = cell;
            break;
        }
        if (cell->count < room->count || (cell->count == room->count && cell->expires < room->expires))
            room = cell;
    }
    *room = (struct cell){.tag = tag, .expires = now + window};
    return room;
}

/* The cell of the name, locked until unlock(); a new one lives for a window, none is made when that is 0. */
static struct place lock(struct failures *failures, const struct failures_bucket *bucket, bp_span window, bp_time now)
{
    uint64_t hash[crypto_shorthash_siphashx24_BYTES / sizeof(uint64_t)];
    (void)crypto_shorthash_siphashx24((unsigned char *)hash, (const unsigned char *)bucket->name, sizeof(bucket->name),
                                      failures->key);
    uint32_t number = (uint32_t)hash[0] & failures->set_mask;
    struct set *set = &failures->sets[number];
    struct place place = {.mutex = &failures->locks[number % LOCKS].mutex};
    /* A worker that died here has left a count that is one off at most. */
    (void)bp_mutex_lock(place.mutex);
    place.cell = find(set, hash[1], now);
    if (!place.cell && window > 0)
        place.cell = make_room(set, hash[1], window, now);
    return place;
}

static void unlock(const struct place *place)
{
    bp_mutex_unlock(place->mutex);
}

bool failures_take(struct failures *failures, const struct failures_bucket *buckets, size_t count, bp_span window,
                   bp_time now, bp_span *ret_retry_in)
{
    bp_span retry_in = 0;
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        struct place place = lock(failures, &buckets[i], window, now);
        if (place.cell->count < buckets[i].limit) {
            place.cell->count++;
            taken |= (size_t)1 << i;
        } else if (place.cell->expires - now > retry_in) {
            retry_in = place.cell->expires - now;
        }
        unlock(&place);
    }
    if (retry_in == 0)
        return true;
    /* Counted and taken back, and not looked at before: nobody else can pass between the two. */
    for (size_t i = 0; i < count; i++)
        if (taken & (size_t)1 << i)
            failures_give_back(failures, &buckets[i], now);
    *ret_retry_in = retry_in;
    return false;
}

void failures_give_back(struct failures *failures, const struct failures_bucket *bucket, bp_time now)
{
    struct place place = lock(failures, bucket, 0, now);
    if (place.cell && place.cell->count > 0)
        place.cell->count--;
    unlock(&place);
}

void failures_clear(struct failures *failures, const struct failures_bucket *bucket, bp_time now)
{
    struct place place = lock(failures, bucket, 0, now);
    if (place.cell)
        *place.cell = (struct cell){0};
    unlock(&place);
}
