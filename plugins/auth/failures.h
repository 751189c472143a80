/* SPDX-License-Identifier: MIT */
/*
 * Counts of failed logins, in a region of memory that the workers share: sets of a few cells, chosen by a keyed hash. A count begins
 * with the first failure and is forgotten one window later. In a full set the lowest count makes room, so that nobody washes off a
 * high one by failing under many names. Knows no request.
 */
#ifndef AUTH_FAILURES_H
#define AUTH_FAILURES_H

#include "backplane/clock.h"

#define FAILURES_LAYOUT 1u /* of the region; counts up when it changes */

/* Who is counted: a hash, see throttle.c. */
#define FAILURES_NAME 32u
struct failures_bucket {
    char name[FAILURES_NAME];
    uint32_t limit;
};

struct failures;

/* Bytes for at least this many counts. */
size_t failures_size(uint32_t counts);
/* In zeroed memory, or memory that another process has prepared. */
void failures_prepare(struct failures *failures, uint32_t counts);
/* Counts one in each bucket when all of them are below their limits; else in none, and says in how long it may be tried again. */
bool failures_take(struct failures *failures, const struct failures_bucket *buckets, size_t count, bp_span window,
                   bp_time now, bp_span *ret_retry_in);
/* One less. */
void failures_give_back(struct failures *failures, const struct failures_bucket *bucket, bp_time now);
/* None. */
void failures_clear(struct failures *failures, const struct failures_bucket *bucket, bp_time now);

#endif
