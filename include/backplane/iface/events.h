/* SPDX-License-Identifier: MIT */
/*
 * The "events" interface, version 1: what has changed, in order, and never lost. An event is written in the transaction of the change (an outbox); those
 * of todos and lists by the database itself. Provided by events, which also sends them to clients.
 *
 * A consumer sees each committed event exactly once in the transaction that it is given: what it writes there is committed with its place in
 * the outbox, or neither is. It runs in one jobs worker at a time, of all replicas.
 */
#ifndef BACKPLANE_IFACE_EVENTS_H
#define BACKPLANE_IFACE_EVENTS_H

#include "backplane/clock.h"
#include "backplane/plugin.h"
#include "backplane/uuid.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_EVENTS "events"
#define BP_EVENTS_VERSION 1u

struct bp_tx;

/* Something that happened to what belongs to a user. */
struct bp_events_item {
    int64_t position; /* in the outbox: grows; the id of the event for clients. 0 in what is published */
    bp_uuid user_id;
    bp_uuid subject_id; /* of the todo, the list, … */
    /* "todo.created": <noun>.<verb> of a-z, 0-9, dots, _ and -, up to 64 bytes; neither "resync" nor "account.changed" */
    bp_str type;
    bp_str
        data; /* a JSON object: the subject after the change, as the API shows it, and "id" alone of what was deleted */
    bp_date at;
};

/* Is given up to a few hundred events, in order. On a fiber, in a jobs worker; waits for nothing but its database, through tx. Not 0: the transaction is
 * undone, and the same events come again, after a while. */
typedef int bp_events_function(struct bp_tx *tx, const struct bp_events_item *items, size_t count, void *argument);

/* Call it through the functions below. */
struct bp_events_vtable {
    uint32_t size;
    uint32_t spare;
    int (*publish)(void *self, struct bp_tx *tx, const struct bp_events_item *item);
    int (*consume)(void *self, struct bp_host *host, const char *name, bp_events_function *function, void *argument);
};

/* Adds an event, in tx or on its own when that is NULL. .position and .at are made by the call. Suspends for one round trip. 0; BP_MISUSE (no type or a reserved one, no JSON
 * object); the statuses of bp_db_query(). */
static inline int bp_events_publish(struct bp_service events, struct bp_tx *tx, const struct bp_events_item *item)
{
    return ((const struct bp_events_vtable *)events.vtable)->publish(events.self, tx, item);
}

/* In init: function is given all events from the first start on. name is its place in the outbox's, kept for ever: it lives as long as the process. 0,
 * BP_INVALID (reported: a name taken), BP_NOMEM, BP_MISUSE. */
static inline int bp_events_consume(struct bp_host *host, struct bp_service events, const char *name,
                                    bp_events_function *function, void *argument)
{
    return ((const struct bp_events_vtable *)events.vtable)->consume(events.self, host, name, function, argument);
}

#ifdef __cplusplus
}
#endif
#endif
