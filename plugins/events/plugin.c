/* SPDX-License-Identifier: MIT */
/* events: what has changed, in order: to consumers among the plugins, and to clients. */
#include "backplane/iface/identity.h"
#include "backplane/iface/queue.h"
#include "backplane/iface/todos.h"
#include "changes.h"
#include "consume.h"
#include "events_migrations.h"
#include "hub.h"
#include "keep.h"
#include "measure.h"
#include "publish.h"
#include "reset.h"
#include "stream.h"

#include <stdio.h>

static const struct bp_field options[] = {
    BP_SPAN(struct events, poll, .def = "100ms", .min = 10 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How often a worker that has consumers or streams looks for new events."),
    BP_SPAN(struct events, retention, .def = "7d", .min = BP_SECOND, .max = 3650 * BP_DAY,
            .doc = "How long events are kept: for so long a client may be away and still be brought up to date."),
    BP_SPAN(struct events, cleanup, .def = "1m", .min = 10 * BP_MILLISECOND, .max = BP_DAY,
            .doc = "How often each worker deletes events that are older, where no queue does it every five minutes."),
    BP_SPAN(struct events, measure, .def = "10s", .min = 10 * BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How often the gauges are set."),
    BP_U32(struct events, streams, .def = "10000", .min = 1, .max = 1000000,
           .doc = "Event streams at a time in each worker; server.max_connections limits them, too."),
    BP_U32(struct events, streams_per_user, .def = "10", .min = 1, .max = 1000000,
           .doc = "Of these, streams of one account."),
    BP_SPAN(struct events, keep_alive, .def = "15s", .min = 20 * BP_MILLISECOND, .max = BP_HOUR,
            .doc = "A stream on which nothing happens is sent a comment before so long has passed."),
    BP_SPAN(
        struct events, retry, .def = "2s", .min = BP_MILLISECOND, .max = BP_HOUR,
        .doc =
            "How long clients are told to wait before they connect again; when a worker stops, from a quarter of it to "
            "nearly twice as long, so that not all come at once."),
    BP_SPAN(struct events, lifetime, .def = "1h", .min = 10 * BP_MILLISECOND, .max = 365 * BP_DAY,
            .doc = "A stream ends after so long, or when its token does: its client connects again, and who it is is "
                   "asked again."),
    BP_END};

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct events, db),
                                       BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct events, identity),
                                       BP_NEED(BP_TODOS, BP_TODOS_VERSION, struct events, todos),
                                       BP_NEED(BP_QUEUE, BP_QUEUE_VERSION, struct events, queue, .optional = 1),
                                       BP_NEED_END};

static const struct bp_events_vtable vtable = {.size = sizeof(vtable), .publish = publish, .consume = consume};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_EVENTS, BP_EVENTS_VERSION, &vtable), BP_PROVIDE_END};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/todos/changes", .handler = changes_get, .name = "todos.changes",
             .doc = "What has changed of the todos since a position, each once, for a client that keeps a copy.",
             .query = changes_query, .query_size = sizeof(struct changes_query), .reply = changes_reply,
             .answers = changes_answers, .role = "user", .scope = "todos:read"),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/events", .handler = stream_open, .name = "events.stream",
             .doc = "What happens to what is the account's, as it happens: Server-Sent Events.", .query = stream_query,
             .query_size = sizeof(struct stream_query), .reply_type = "text/event-stream", .answers = stream_answers,
             .role = "user", .scope = "events:read", .streams = 1),
    BP_ROUTE_END};

static int init(struct bp_host *host, void *self)
{
    struct events *events = self;
    events->host = host;
    return keep_init(host, events);
}

static int start(struct bp_host *host, void *self)
{
    struct events *events = self;
    char name[128];
    snprintf(name, sizeof(name), "%" BP_STR_FMT ":outbox", BP_STR_ARG(bp_instance_name(host)));
    events->shared = bp_shared(host, name, EVENTS_SHARED_LAYOUT, sizeof(*events->shared));
    if (!events->shared)
        return bp_start_error(host, "no shared memory for what workers tell each other (server.shared_memory)");
    int status = hub_start(events);
    if (status == 0)
        status = consume_start(events);
    if (status == 0)
        status = keep_start(events);
    return status == 0 ? measure_start(events) : status;
}

static void stop(struct bp_host *host, void *self)
{
    struct events *events = self;
    (void)host;
    events->consume_timer = bp_timer_free(events->consume_timer);
    events->keep_timer = bp_timer_free(events->keep_timer);
    measure_stop(events);
}

static void deinit(struct bp_host *host, void *self)
{
    (void)host;
    consume_free(self);
    hub_free(self);
}

BP_PLUGIN(.name = "events", .version = "1.0.0", .doc = "What has changed, in order, for plugins and for clients.",
          .self_size = sizeof(struct events), .options = options, .needs = needs, .provides = provides,
          .routes = routes, .commands = reset_commands, .migrations = events_migrations, .metrics = measure_metrics,
          .init = init, .start = start, .stop = stop, .deinit = deinit);
