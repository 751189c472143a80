/* SPDX-License-Identifier: MIT */
#ifndef CHECK_H
#define CHECK_H

#include "key.h"
#include "match.h"
#include "options.h"
#include "store.h"

/* Limits of which one reply speaks; a pipeline with more of them says nothing of the innermost. */
#define REPORT_MAX 12u

struct cost {
    struct match match;
    uint32_t cost;
};

/* A stage at work. */
struct limited {
    const struct rate_limit_stage *options; /* its address is what a request finds the stage by */
    bp_str name;
    struct limiter limiter;       /* what counts here */
    struct limiter spare;         /* what counts here while the store is away: a part of the quotas */
    struct shared_limiter shared; /* what counts in the store */
    bool uses_store;
    struct key key;
    struct bp_network *networks; /* as many as options->exempt_networks */
    struct match *routes;        /* as many as options->exempt_routes */
    struct cost *costs;
    struct bp_series *allowed, *refused, *exempt, *unlimited, *unavailable, *crowded;
    struct bp_series *failures[STORE_FAILED + 1];
    char messages[LIMITS_MAX][LIMITER_MESSAGE];
    bp_str policies[LIMITS_MAX], names[LIMITS_MAX]; /* "\"per_user\";q=30;w=60", "\"per_user\"" */
};

struct rate_limit {
    struct bp_service key_value;
    struct store store;
    struct bp_metric *decisions, *crowded, *failures;
    int slot; /* struct report * */
    struct limited *stages;
    size_t stage_count;
    int status; /* of what went wrong while the stages were gathered */
};

bp_handler rate_limit_check;

/* ---- report.c ---- */

/* Notes what a stage's limits said, for the header fields that the reply gets once, just before it is sent. refused: the index of the limit that refused
 * it, or the limits' count. */
int report_add(struct bp_request *rq, int slot, const struct limited *limited, const struct verdict *verdicts,
               uint32_t refused);

#endif
