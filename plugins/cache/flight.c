/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include <stdlib.h>

#include "backplane/status.h"

/* On the stack of who waits. */
struct waiter {
    struct waiter *next;
    bp_event landed;
    int turn;
    struct entry *entry;
};

struct flight {
    struct flight *next;
    struct digest digest;
    struct generation generation;
    struct waiter *first, **last;
};

static struct flight **place_of(struct flights *flights, const struct digest *digest,
                                const struct generation *generation)
{
    struct flight **place = &flights->buckets[digest->bytes[0] % FLIGHT_BUCKETS];
    for (; *place; place = &(*place)->next) {
        const struct flight *flight = *place;
        if (memcmp(flight->digest.bytes, digest->bytes, sizeof(digest->bytes)) == 0 &&
            flight->generation.local == generation->local &&
            bp_str_eq(bp_str_n(flight->generation.shared, flight->generation.shared_len),
                      bp_str_n(generation->shared, generation->shared_len)))
            break;
    }
    return place;
}

bool flight_exists(const struct flights *flights, const struct digest *digest, const struct generation *generation)
{
    return *place_of((struct flights *)(uintptr_t)flights, digest, generation) != NULL;
}

static int lead(struct flight **place, const struct digest *digest, const struct generation *generation,
                struct flight **ret_flight)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    if (!flight)
        return BP_NOMEM;
    flight->digest = *digest;
    flight->generation = *generation;
    flight->last = &flight->first;
    *place = flight;
    *ret_flight = flight;
    return FLIGHT_LEADS;
}

static void leave(struct flight *flight, const struct waiter *waiter)
{
    struct waiter **place = &flight->first;
    while (*place != waiter)
        place = &(*place)->next;
    *place = waiter->next;
    if (!waiter->next)
        flight->last = place;
}

int flight_join(struct flights *flights, const struct digest *digest, const struct generation *generation,
                struct flight **ret_flight, struct entry **ret_entry)
{
    struct flight **place = place_of(flights, digest, generation), *flight = *place;
    struct waiter waiter = {.turn = 0};
    if (!flight)
        return lead(place, digest, generation, ret_flight);
    bp_event_init(&waiter.landed);
    *flight->last = &waiter;
    flight->last = &waiter.next;
    int status = bp_event_wait(&waiter.landed, BP_FOREVER);
    if (status < 0) { /* it has not landed: then the status is 0 */
        leave(flight, &waiter);
        return status;
    }
    if (waiter.turn == FLIGHT_LEADS)
        *ret_flight = flight;
    else if (waiter.turn == FLIGHT_SHARES)
        *ret_entry = waiter.entry;
    return waiter.turn;
}

static struct waiter *take_first(struct flight *flight)
{
    struct waiter *waiter = flight->first;
    flight->first = waiter->next;
    if (!flight->first)
        flight->last = &flight->first;
    return waiter;
}

static void wake(struct waiter *waiter, int turn, struct entry *entry)
{
    waiter->turn = turn;
    waiter->entry = entry ? entry_ref(entry) : NULL;
    bp_event_set(&waiter->landed);
}

void flight_land(struct flights *flights, struct flight *flight, struct entry *entry, bool failed)
{
    if (failed && flight->first) {
        wake(take_first(flight), FLIGHT_LEADS, NULL);
        return;
    }
    while (flight->first)
        wake(take_first(flight), entry ? FLIGHT_SHARES : FLIGHT_ALONE, entry);
    *place_of(flights, &flight->digest, &flight->generation) = flight->next;
    free(flight);
}
