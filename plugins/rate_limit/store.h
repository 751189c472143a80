/* SPDX-License-Identifier: MIT */
/* Limits that all replicas share, in the key_value service; and whether it can be asked now. */
#ifndef STORE_H
#define STORE_H

#include "backplane/backplane.h"
#include "limiter.h"

/* One for all stages of an instance, in each worker. */
struct store {
    struct bp_host *host;
    struct bp_service service; /* vtable NULL: there is none */
    bool away;                 /* it failed, and has not decided anything since; */
    struct bp_timer *timer;    /* then asks it again, on a fiber of its own */
    bool asking;
};

/* A stage's part of it: texts that are the same for every request. */
struct shared_limiter {
    const struct limiter *limiter; /* what the limits are */
    bp_str prefix;                 /* of the keys: "rate_limit:gcra:per_user:" */
    bp_span timeout;
    char numbers[LIMITS_MAX][3][24];
};

void shared_limiter_prepare(struct shared_limiter *shared, const struct limiter *limiter, bp_str prefix,
                            bp_span timeout);

enum store_answer { STORE_AWAY = 1, STORE_LATE, STORE_FAILED };

/*
 * Decides about one request, as limiter_take() does. Suspends. 0; a store_answer when it could not, for which the caller's policy decides: STORE_AWAY costs
 * nothing, STORE_LATE the stage's timeout; or BP_CANCELED, BP_NOMEM.
 */
int store_take(struct store *store, const struct shared_limiter *shared, bp_str client, uint32_t cost,
               struct bp_arena *arena, struct verdict *ret_verdicts);

#endif
