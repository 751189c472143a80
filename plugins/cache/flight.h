/* SPDX-License-Identifier: MIT */
/*
 * One request at a time asks the handler for a reply; others that want the same one meanwhile wait for it. Only those are the same that
 * took the same generation of the tag: so no write was answered between the moment the first took it and the moment the other came,
 * and what the first reads is new enough for both.
 */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include "backplane/wait.h"
#include "memory.h"

#define FLIGHT_BUCKETS 64u
#define GENERATION_MAX 48u

/* As taken before the data are read. */
struct generation {
    uint64_t local; /* of the cell in shared memory */
    uint32_t shared_len;
    char shared[GENERATION_MAX]; /* of the tag in Redis; empty without */
};

struct flight;
struct flights {
    struct flight *buckets[FLIGHT_BUCKETS];
};

enum flight_turn {
    FLIGHT_LEADS = 1, /* ask the handler, then flight_land() on every path */
    FLIGHT_SHARES,    /* *ret_entry is the reply, with a reference for the caller; NULL ret_flight */
    FLIGHT_ALONE      /* the first got a reply that is its own: ask the handler without telling anybody */
};

/* Waits as long as the request may. Returns a turn, or a negative status (of the wait, or BP_NOMEM). */
int flight_join(struct flights *flights, const struct digest *digest, const struct generation *generation,
                struct flight **ret_flight, struct entry **ret_entry);
/* Whether somebody is asking for it now. */
bool flight_exists(const struct flights *flights, const struct digest *digest, const struct generation *generation);
/* entry: what all who wait get (each takes a reference); NULL: nobody else can use the reply. failed: the next who waits shall try. */
void flight_land(struct flights *flights, struct flight *flight, struct entry *entry, bool failed);

#endif
