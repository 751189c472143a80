/* SPDX-License-Identifier: MIT */
/*
 * A connection that all fibers share: commands go out in the order of its queue, many at a time, and are answered in that
 * order. A fiber of its own connects, writes, reads, and connects again.
 */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include "breaker.h"
#include "command.h"
#include "wire.h"

struct redis;

#define CONNECTION_BUFFER 16384u

struct connection {
    struct redis *redis;
    struct wire wire;
    struct bp_watch *watch;
    bp_event work; /* something arrived, or is to be written */
    bool ready, readable, dropped;
    bp_time spoke_at, ready_at; /* the server last said something */
    struct backoff backoff;
    struct command_queue queue;
    struct command *unwritten; /* the first of them, or NULL */
    size_t offset;             /* of it that is written */
    char buffer[CONNECTION_BUFFER];
};

/* A fiber's function: runs until it is cancelled. */
int connection_run(void *connection);
/* Puts a command behind the others. The connection is ready. */
void connection_send(struct connection *connection, struct command *command);
/* Takes one back that was not offered yet. False: it is not there, or too late. */
bool connection_take_back(struct connection *connection, struct command *command);
/* Ends it at the end of the turn. */
void connection_drop(struct connection *connection, const char *reason);
/* Tells all callers that there will be no answer. */
void connection_abandon(struct connection *connection);
/* In deinit. */
void connection_deinit(struct connection *connection);

#endif
