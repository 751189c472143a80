/* SPDX-License-Identifier: MIT */
#ifndef PLUGINS_EVENTS_H
#define PLUGINS_EVENTS_H

#include <stdatomic.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "backplane/iface/events.h"
#include "backplane/shared.h"

struct consumer;
struct hub;

/* What the workers of this server tell each other. */
struct events_shared {
    _Atomic int64_t counted;  /* SQLite: events up to this position are in the metric; 0: nobody has looked yet */
    struct bp_duty measuring; /* of the worker that sets the gauges */
};
#define EVENTS_SHARED_LAYOUT 1u

struct events {
    struct bp_host *host;
    struct bp_service db, identity, todos, queue;
    /* options */
    bp_span poll, retention, cleanup, measure;
    bp_span keep_alive, retry, lifetime; /* of streams */
    uint32_t streams, streams_per_user;
    /* state */
    struct consumer *consumers;
    struct hub *hub;
    struct events_shared *shared;
    struct bp_timer *consume_timer, *keep_timer, *measure_timer;
    bool watching, keeping, measuring; /* a fiber is about it */
    struct bp_metric *total_metric, *length_metric, *age_metric, *lag_metric, *lag_seconds_metric;
    struct bp_metric *streams_metric, *sent_metric, *resyncs_metric, *ended_metric;
};

#endif
