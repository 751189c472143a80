/* SPDX-License-Identifier: MIT */
#ifndef PLUGINS_IDEMPOTENCY_H
#define PLUGINS_IDEMPOTENCY_H

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "flights.h"

enum result { RESULT_NEW, RESULT_REPLAYED, RESULT_IN_FLIGHT, RESULT_MISMATCH, RESULT_COUNT };

struct idempotency {
    struct bp_host *host;
    struct bp_service db, queue; /* queue: vtable NULL: none */
    bp_span cleanup;
    uint64_t max_reply;
    struct flights *flights; /* shared by the workers */
    struct bp_timer *timer;  /* without a queue */
    char clean_name[80], clean_cron[40];
    bool cleaning;
    struct bp_metric *requests_metric;
    struct bp_series *results[RESULT_COUNT];
};

struct idempotency_stage {
    bp_span ttl;
    struct bp_array methods; /* of bp_str; none: the four that write */
    bool required;
};

/* The middleware. */
int idempotency_serve(struct bp_request *rq, void *self, const void *stage);

#endif
