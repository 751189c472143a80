/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <stdio.h>
#include <stdlib.h>

/* One that lasted as long as this begins its back-off anew. */
#define STEADY (2 * BP_SECOND)
/* A read-only server is left for another one at most this often. */
#define REOPEN_EVERY BP_SECOND

struct connection *connection_create(struct database *database, struct lane *lane, const struct target *target)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    connection->database = database;
    connection->lane = lane;
    connection->target = target;
    return connection;
}

struct connection *connection_destroy(struct connection *connection)
{
    if (!connection)
        return NULL;
    prepared_forget(&connection->prepared);
    free(connection->slots);
    free(connection);
    return NULL;
}

void connection_wake(struct connection *connection)
{
    bp_event_set(&connection->event);
}

static void socket_ready(void *argument, unsigned events)
{
    struct connection *connection = argument;
    if (events & BP_READABLE)
        connection->readable = true;
    bp_event_set(&connection->event);
}

static void give_reason(struct connection *connection)
{
    connect_reason(PQerrorMessage(connection->pg), connection->why);
    connection->broken = true;
}

/* --- its life --- */

static int open_connection(struct connection *connection)
{
    struct database *database = connection->database;
    int status = connect_open(database, connection->target, &connection->pooled, &connection->pg, connection->why);
    if (status != 0)
        return status;
    connection->watch = bp_watch_new(database->host, PQsocket(connection->pg), BP_READABLE, socket_ready, connection);
    if (!connection->watch || !PQenterPipelineMode(connection->pg)) {
        connection->watch = bp_watch_free(connection->watch);
        PQfinish(connection->pg);
        connection->pg = NULL;
        return BP_NOMEM;
    }
    connection->broken = connection->stalled = connection->said_fatal = connection->reopen = false;
    connection->readable = connection->writing = connection->forget = false;
    connection->why[0] = '\0';
    connection->opened = connection->heard = bp_clock();
    connection->ready = true;
    if (connection->lane)
        lane_connected(connection->lane);
    else
        pool_show(&database->pinned);
    return 0;
}

static void close_connection(struct connection *connection)
{
    if (!connection->pg)
        return;
    connection->ready = false;
    if (connection->lane)
        lane_lost(connection->lane, connection->why);
    else
        pool_show(&connection->database->pinned);
    batch_abandon(connection);
    if (connection->tx)
        transaction_lost(connection->tx);
    prepared_forget(&connection->prepared);
    connection->watch = bp_watch_free(connection->watch);
    PQfinish(connection->pg);
    connection->pg = NULL;
}

static void flush(struct connection *connection)
{
    int left = PQflush(connection->pg);
    if (left < 0)
        give_reason(connection);
    else if (connection->writing != (left > 0)) {
        connection->writing = left > 0;
        if (!bp_watch_change(connection->watch, BP_READABLE | (left > 0 ? BP_WRITABLE : 0)))
            connection->broken = true;
    }
}

static bool is_late(const struct connection *connection, bp_time now)
{
    return connection->tx && !connection->tx->ending && !connection->tx->over && now >= connection->tx->deadline;
}

static bp_time stall_at(const struct connection *connection)
{
    bp_time at = connection->heard + connection->database->statement_timeout + STALL_MARGIN;
    bp_time canceled = connection->cancel_at + STALL_MARGIN;
    return connection->cancel_at != 0 && canceled < at ? canceled : at;
}

/* How long nothing may happen. */
static bp_span patience(const struct connection *connection)
{
    bp_time at = BP_FOREVER, now;
    const struct bp_db_tx *tx = connection->tx;
    if (connection_busy(connection))
        at = stall_at(connection);
    if (tx && !tx->ending && !tx->over && connection->cancel_at == 0 && tx->deadline < at)
        at = tx->deadline;
    if (at == BP_FOREVER)
        return BP_FOREVER;
    now = bp_clock();
    return at > now + BP_MILLISECOND ? at - now : BP_MILLISECOND;
}

static void look_at_clock(struct connection *connection)
{
    bp_time now = bp_clock();
    if (connection_busy(connection) && now >= stall_at(connection)) {
        connection->broken = connection->stalled = true;
        snprintf(connection->why, sizeof(connection->why), "the server did not answer in time");
    } else if (is_late(connection, now) && connection_busy(connection)) {
        connection_cancel(connection, BP_TIMEOUT);
    } else if (is_late(connection, now)) {
        transaction_late(connection->tx);
    }
}

/* Until it is broken: 0; or the fiber's status. */
static int serve(struct connection *connection)
{
    for (;;) {
        int status;
        connection->event.set = false;
        if (connection->readable) {
            connection->readable = false;
            batch_receive(connection);
        }
        if (!connection->broken && !connection_busy(connection)) {
            if (connection->reopen && bp_clock() - connection->opened >= REOPEN_EVERY)
                return 0;
            connection->reopen = false;
            batch_send(connection);
        }
        if (!connection->broken && (connection->writing || connection_busy(connection)))
            flush(connection);
        if (connection->broken)
            return 0;
        status = bp_event_wait(&connection->event, patience(connection));
        if (status == BP_CANCELED)
            return status;
        if (status == BP_TIMEOUT)
            look_at_clock(connection);
        if (connection->broken)
            return 0;
    }
}

static void unreachable(struct connection *connection)
{
    if (connection->lane) {
        lane_unreachable(connection->lane, connection->why);
        return;
    }
    if (connection->alone.len > 0)
        bp_log(connection->database->host, BP_LOG_WARN, "postgres.pool_unreachable",
               "A connection for a transaction could not be made", bp_log_cstr("reason", connection->why));
    job_list_fail(&connection->alone, BP_BUSY);
    if (connection->tx)
        transaction_lost(connection->tx);
}

/* A pinned connection is made when it has something to do. */
static int wait_for_work(struct connection *connection)
{
    int status = 0;
    while (status == 0 && !connection->lane && connection->alone.len == 0) {
        connection->event.set = false;
        status = bp_event_wait(&connection->event, BP_FOREVER);
    }
    return status;
}

static int keep(void *argument)
{
    struct connection *connection = argument;
    unsigned tries = 0;
    int status;
    while ((status = wait_for_work(connection)) == 0) {
        status = open_connection(connection);
        if (status == 0)
            status = serve(connection);
        else if (status != BP_CANCELED)
            unreachable(connection);
        if (status == 0 && bp_clock() - connection->opened >= STEADY)
            tries = 0;
        close_connection(connection);
        if (status == BP_CANCELED || bp_sleep(connection->lane ? connect_backoff(tries++) : 0) != 0)
            break;
    }
    job_list_fail(&connection->alone, BP_BUSY);
    return BP_CANCELED;
}

int connection_start(struct connection *connection)
{
    return bp_spawn(connection->database->host, "postgres.connection", keep, connection, BP_FOREVER);
}

/* --- ending what runs --- */

struct cancel {
    struct connection *connection;
    PGcancel *handle;
};

static int ask_server(void *job)
{
    struct cancel *cancel = job;
    char error[256];
    return PQcancel(cancel->handle, error, sizeof(error)) ? 0 : BP_BUSY;
}

static int cancel_main(void *argument)
{
    struct cancel *cancel = argument;
    struct connection *connection = cancel->connection;
    int status = bp_offload(ask_server, cancel);
    connection->database->canceling = false;
    bp_event_set(&connection->cancel_done);
    PQfreeCancel(cancel->handle);
    free(cancel);
    return status == BP_CANCELED ? status : 0;
}

void connection_cancel(struct connection *connection, int status)
{
    struct database *database = connection->database;
    struct cancel *cancel = NULL;
    if (connection->cancel_at != 0 || !connection->pg)
        return;
    connection->cancel_at = bp_clock();
    connection->cancel_status = status;
    if (!database->canceling)
        cancel = calloc(1, sizeof(*cancel));
    if (cancel) {
        *cancel = (struct cancel){.connection = connection, .handle = PQgetCancel(connection->pg)};
        bp_event_init(&connection->cancel_done);
        database->canceling = true;
        if (cancel->handle && bp_spawn(database->host, "postgres.cancel", cancel_main, cancel, BP_FOREVER) == 0) {
            connection->asking = true;
            connection_wake(connection);
            return;
        }
        database->canceling = false;
        PQfreeCancel(cancel->handle);
        free(cancel);
    }
    /* It cannot be asked: the server finds out when it answers, and rolls back. */
    connection->broken = true;
    snprintf(connection->why, sizeof(connection->why), "a statement of a transaction was given up");
    connection_wake(connection);
}

void connection_cancel_end(struct connection *connection)
{
    /* What arrived late must not hit the next statement. */
    if (connection->asking)
        bp_event_wait_always(&connection->cancel_done);
    connection->asking = false;
    connection->cancel_at = 0;
}
