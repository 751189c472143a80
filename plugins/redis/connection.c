/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <poll.h>
#include <sodium.h>
#include <stdio.h>

#include "redis.h"

#define LIVED (2 * BP_SECOND) /* a connection that lived for so long begins the back-off anew */

static void ready_fd(void *argument, unsigned events)
{
    struct connection *connection = argument;
    if (events & BP_READABLE)
        connection->readable = true;
    bp_event_set(&connection->work);
}

void connection_send(struct connection *connection, struct command *command)
{
    queue_add(&connection->queue, command);
    if (!connection->unwritten) {
        connection->unwritten = command;
        connection->offset = 0;
    }
    bp_event_set(&connection->work);
}

bool connection_take_back(struct connection *connection, struct command *command)
{
    struct command *next = command->next;
    if (command->offered || !queue_remove(&connection->queue, command))
        return false;
    if (connection->unwritten == command)
        connection->unwritten = next;
    return true;
}

void connection_drop(struct connection *connection, const char *reason)
{
    if (!connection->ready)
        return;
    wire_fail(&connection->wire, "%s", reason);
    connection->ready = false;
    connection->dropped = true;
    bp_event_set(&connection->work);
}

/* When the server will have been silent for too long over what it was asked; BP_FOREVER when it was asked nothing. */
static bp_time connection_silent_at(const struct connection *connection)
{
    const struct command *oldest = connection->queue.head;
    if (!oldest || !oldest->offered)
        return BP_FOREVER;
    return (oldest->offered_at > connection->spoke_at ? oldest->offered_at : connection->spoke_at) + oldest->patience;
}

/* --- answers --- */

static int deliver(struct connection *connection, struct reply *reply)
{
    struct command *command = connection->queue.head;
    if (!command || !command->written) {
        reply_free(reply);
        return wire_fail(&connection->wire, "bad answer: to nothing that was asked");
    }
    queue_take(&connection->queue);
    connection->redis->queued--;
    if (command->call) {
        command->call->reply = reply;
        bp_event_set(&command->call->done);
    } else {
        reply_free(reply);
    }
    command_free(command);
    return 0;
}

static int read_answers(struct connection *connection)
{
    struct reply *reply;
    int status;
    do {
        status = wire_read(&connection->wire);
        if (status != 0)
            break;
        connection->spoke_at = bp_clock();
        while ((status = wire_next(&connection->wire, &reply)) == 0 && reply)
            if ((status = deliver(connection, reply)) != 0)
                return status;
    } while (status == 0 && !connection->wire.drained);
    connection->readable = false;
    return status == WIRE_WAIT ? 0 : status;
}

/* --- commands --- */

/* What is to be written next, of several commands if they fit; a large one is not copied. */
static bp_str gather(struct connection *connection)
{
    struct command *command = connection->unwritten;
    size_t offset = connection->offset, len = 0;
    bp_time now = bp_clock();
    bp_str whole = {0};
    for (; command && len < sizeof(connection->buffer); command = command->next, offset = 0) {
        size_t some = command->len - offset;
        if (!command->offered)
            command->offered_at = now;
        command->offered = true;
        if (len == 0 && some >= sizeof(connection->buffer)) {
            whole = bp_str_n(command->bytes + offset, some);
            break;
        }
        if (some > sizeof(connection->buffer) - len)
            some = sizeof(connection->buffer) - len;
        memcpy(connection->buffer + len, command->bytes + offset, some);
        len += some;
    }
    return whole.ptr ? whole : bp_str_n(connection->buffer, len);
}

static void was_written(struct connection *connection, size_t len)
{
    connection->offset += len;
    while (connection->unwritten && connection->offset >= connection->unwritten->len) {
        connection->offset -= connection->unwritten->len;
        connection->unwritten->written = true;
        connection->unwritten = connection->unwritten->next;
    }
}

static int write_commands(struct connection *connection)
{
    unsigned events = BP_READABLE;
    while (connection->unwritten) {
        bp_str bytes = gather(connection);
        size_t written = 0;
        int status = wire_write(&connection->wire, bytes.ptr, bytes.len, &written);
        if (status == WIRE_WAIT) {
            events |= connection->wire.waits_for;
            break;
        }
        if (status != 0)
            return status;
        was_written(connection, written);
    }
    return bp_watch_change(connection->watch, events) ? 0 : wire_fail(&connection->wire, "out of memory");
}

/* --- life --- */

/* The answer may be there while this worker was too busy to look. */
static bool has_spoken(const struct connection *connection)
{
    struct pollfd fd = {.fd = connection->wire.fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* Until the connection ends: BP_BUSY, or BP_CANCELED. */
static int serve(struct connection *connection)
{
    for (;;) {
        bp_time silent_at;
        int status = 0;
        bp_event_init(&connection->work);
        if (connection->dropped)
            return BP_BUSY;
        if (connection->readable)
            status = read_answers(connection);
        if (status == 0)
            status = write_commands(connection);
        if (status != 0)
            return status;
        silent_at = connection_silent_at(connection);
        status = bp_event_wait(&connection->work, silent_at == BP_FOREVER ? BP_FOREVER : silent_at - bp_clock());
        if (status == BP_CANCELED || status == BP_MISUSE)
            return BP_CANCELED;
        if (status != BP_TIMEOUT || bp_clock() < connection_silent_at(connection))
            continue;
        if (has_spoken(connection))
            connection->readable = true;
        else
            redis_trip(connection->redis, "no answer in time");
    }
}

static void begin(struct connection *connection)
{
    connection->readable = true; /* what came behind the greeting is in the reader already */
    connection->dropped = false;
    connection->ready_at = connection->spoke_at = bp_clock();
    connection->ready = connection->watch != NULL;
    if (connection->ready)
        redis_came(connection->redis);
}

/* What was on its way: sent again where nothing can have happened, or may happen twice. */
static void give_back(struct connection *connection)
{
    struct redis *redis = connection->redis;
    struct command_queue again = {0};
    struct command *command;
    while ((command = queue_take(&connection->queue))) {
        bool once_more = !command->written || (command->repeatable && !command->repeated);
        if (command->call && once_more && !redis->breaker.open && !redis->stopping) {
            command->repeated = command->written;
            command->offered = command->written = false;
            queue_add(&again, command);
            continue;
        }
        redis->queued--;
        command_fail(command, command->written && !command->repeatable ? BP_TIMEOUT : BP_BUSY);
    }
    connection->unwritten = NULL;
    connection->offset = 0;
    queue_prepend(&redis->waiting, &again);
}

static void end(struct connection *connection)
{
    bool asked = connection->queue.len > 0;
    connection->ready = false;
    wire_close(&connection->wire);
    if (bp_clock() - connection->ready_at >= LIVED)
        connection->backoff.attempts = 0;
    if (asked)
        redis_failed(connection->redis, connection->wire.reason);
    give_back(connection);
    redis_went(connection->redis, connection->wire.reason, false);
}

static int pause_before(struct connection *connection)
{
    bp_span pause = backoff_next(&connection->backoff, randombytes_random());
    bp_span closed = breaker_wait(&connection->redis->breaker, bp_clock());
    return bp_sleep(pause > closed ? pause : closed);
}

int connection_run(void *argument)
{
    struct connection *connection = argument;
    struct redis *redis = connection->redis;
    for (;;) {
        int status = wire_open(&connection->wire, &redis->target);
        if (status == 0) {
            connection->watch = bp_watch_new(redis->host, connection->wire.fd, BP_READABLE, ready_fd, connection);
            begin(connection);
            status = connection->watch ? serve(connection) : wire_fail(&connection->wire, "out of memory");
            connection->watch = bp_watch_free(connection->watch);
            if (status == BP_CANCELED)
                return status;
            end(connection);
        } else if (status == BP_CANCELED) {
            return status;
        } else {
            redis_went(redis, connection->wire.reason, true);
        }
        status = pause_before(connection);
        if (status != 0)
            return status;
    }
}

void connection_abandon(struct connection *connection)
{
    for (struct command *command = connection->queue.head; command; command = command->next)
        if (command->call) {
            command->call->status = BP_CANCELED;
            bp_event_set(&command->call->done);
            command->call = NULL;
        }
}

void connection_deinit(struct connection *connection)
{
    struct command *command;
    while ((command = queue_take(&connection->queue)))
        command_free(command);
    wire_close(&connection->wire);
}
