/* SPDX-License-Identifier: MIT */
/* Those who are given every event, each in its own order and at its own pace: see bp_events_consume(). */
#ifndef PLUGINS_EVENTS_CONSUME_H
#define PLUGINS_EVENTS_CONSUME_H

#include "events.h"

/* One of them, as this worker knows it. From malloc; lives as long as the instance. */
struct consumer {
    struct consumer *next;
    struct events *events;
    struct bp_host *host; /* whose fibers run it: they end before that plugin does */
    char *name;
    bp_events_function *function;
    void *argument;
    bool known;       /* it has its row */
    bool running;     /* on a fiber */
    int64_t position; /* as last seen; another worker may have moved it on */
    uint32_t batch;   /* how many events it is given next */
    uint32_t weight;  /* of the last ones: OUTBOX_CUT_WEIGHT */
    uint32_t failures;
    bp_time not_before; /* after a failure */
};

/* See bp_events_consume(). */
int consume(void *self, struct bp_host *host, const char *name, bp_events_function *function, void *argument);
/* In start. In a jobs worker they begin when all plugins have started. */
int consume_start(struct events *events);
/* Whether a consumer of this name is one of this process. */
bool consume_is_loaded(const struct events *events, bp_str name);
void consume_free(struct events *events);

#endif
