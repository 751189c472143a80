/* SPDX-License-Identifier: MIT */
#ifndef CHECK_H
#define CHECK_H

#include "backplane/backplane.h"
#include "limiter.h"

enum key { KEY_IP, KEY_USER };

/* Options of a stage. */
struct rate_limit_stage {
    uint32_t quota, key, algorithm, clients;
    bp_span window;
};

/* A stage at work. */
struct limited {
    bp_str stage; /* its name */
    struct limiter limiter;
    struct bp_series *allowed, *refused, *crowded;
    char message[LIMITER_MESSAGE];
};

struct rate_limit {
    struct bp_metric *decisions, *crowded;
    struct limited *stages;
    size_t stage_count;
    int status; /* of what went wrong while the stages were gathered */
};

bp_handler rate_limit_check;

#endif
