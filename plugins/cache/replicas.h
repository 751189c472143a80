/* SPDX-License-Identifier: MIT */
/*
 * The state of tags and the replies that all replicas share, in Redis: generations and marks in a hash for each tag, replies beside it, all with
 * a time to live, changed by small scripts that run whole or not at all.
 *
 *     {tag}:tag      g = generation, m<id> = until when the mark of a write counts (milliseconds of Redis' clock)
 *     {tag}:<digest> <generation>|<record>
 *
 * A generation goes with the time at which the server was started or last saved (LASTSAVE): one that comes back with old data, or another that
 * takes over from it, has other generations, and nothing it holds is found.
 *
 * While Redis cannot be asked nothing is read or kept, nor in the seconds after that: so long others may need to say what they wrote
 * meanwhile.
 */
#ifndef CACHE_REPLICAS_H
#define CACHE_REPLICAS_H

#include "backplane/iface/key_value.h"
#include "backplane/metric.h"
#include "flight.h"
#include "tags.h"

#define REPLICAS_PREFIX_MAX 200u /* code points */

struct pending;

struct replicas {
    struct bp_service store;
    struct bp_host *host;
    struct tags *tags;
    bp_str prefix;
    bp_span timeout, write_time;
    bp_span keep; /* beyond this nothing that was stored before is found any more */
    struct pending *pending;
    size_t pending_count;
    struct bp_series *failures;
};

/* In start, with the members above filled in up to keep, and failures. BP_NOMEM or 0. */
int replicas_start(struct replicas *replicas);

/* What Redis holds for a request. */
struct found {
    bool there;
    struct reply reply; /* in the arena */
    bp_span age;
};

enum replicas_condition { REPLICAS_MARKED = 1 /* a write is on its way */ };

/* *generation gets that of the tag. 0, REPLICAS_MARKED, BP_CANCELED, or another negative status: Redis cannot be asked. Suspends. */
int replicas_look(struct replicas *replicas, bp_str tag, const struct digest *digest, struct bp_arena *arena,
                  struct generation *generation, struct found *ret_found);
/* Keeps it when the generation still is the tag's and no mark stands. Suspends; when it cannot, nothing is kept. */
void replicas_keep(struct replicas *replicas, bp_str tag, const struct generation *generation,
                   const struct entry *entry, struct bp_arena *arena);

/* Around a write, besides tags_mark() and tags_unmark(). Suspend, are not cancelled. mark: any number of one's own. */
void replicas_write_begin(struct replicas *replicas, bp_str tag, uint64_t mark);
/* False: Redis could not be told; it is tried until it can be, and the tag stays marked on this machine: the caller leaves that to it. */
bool replicas_write_end(struct replicas *replicas, bp_str tag, uint64_t mark);
/* In stop: a last try for what could not be told. */
void replicas_stop(struct replicas *replicas);
/* Accepts zeroes. */
void replicas_deinit(struct replicas *replicas);

#endif
