/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <stdlib.h>

#include "connection.h"

static void observe_start(struct pool *pool, unsigned count)
{
    struct database *database = pool->database;
    bp_str labels[2] = {bp_instance_name(database->host), BP_STR("pool")};
    pool->waiting_series = bp_series(database->waiting, labels);
    pool->used_series = bp_series(database->used, labels);
    pool->pending = bp_series(database->pending, labels);
    pool->timeouts = bp_series(database->timeouts, labels);
    pool->wait_time = bp_series(database->wait_time, labels);
    bp_metric_set(bp_series(database->connections_max, labels), count);
    labels[1] = BP_STR("idle");
    pool->idle = bp_series(database->connections, labels);
    labels[1] = BP_STR("used");
    pool->taken = bp_series(database->connections, labels);
}

int pool_start(struct database *database, unsigned count)
{
    struct pool *pool = &database->pinned;
    *pool = (struct pool){.database = database};
    observe_start(pool, count);
    pool->connections = calloc(count, sizeof(*pool->connections));
    if (!pool->connections)
        return BP_NOMEM;
    for (; pool->count < count; pool->count++) {
        pool->connections[pool->count] = connection_create(database, NULL, &database->target);
        if (!pool->connections[pool->count])
            return BP_NOMEM;
        if (connection_start(pool->connections[pool->count]) != 0) {
            pool->count++;
            return BP_NOMEM;
        }
    }
    return 0;
}

void pool_free(struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++)
        connection_destroy(pool->connections[i]);
    free(pool->connections);
    *pool = (struct pool){0};
}

void pool_show(struct pool *pool)
{
    unsigned idle = 0;
    for (unsigned i = 0; i < pool->count; i++)
        idle += pool->connections[i]->ready && !pool->connections[i]->taken;
    bp_metric_set(pool->idle, idle);
    bp_metric_set(pool->taken, pool->used);
    bp_metric_set(pool->pending, pool->waiting);
    bp_metric_set(pool->used_series, pool->used);
    bp_metric_set(pool->waiting_series, pool->waiting);
}

static void take(struct pool *pool, struct connection *connection)
{
    connection->taken = true;
    pool->used++;
}

/* One that is connected, if there is one. */
static struct connection *find_free(struct pool *pool)
{
    struct connection *found = NULL;
    for (unsigned i = 0; i < pool->count; i++) {
        struct connection *connection = pool->connections[i];
        if (!connection->taken && connection->ready && !connection_busy(connection))
            return connection;
        if (!connection->taken && !connection_busy(connection) && !found)
            found = connection;
    }
    return found;
}

static void unlink_waiter(struct pool *pool, struct pool_waiter *waiter)
{
    *(waiter->prev ? &waiter->prev->next : &pool->first) = waiter->next;
    *(waiter->next ? &waiter->next->prev : &pool->last) = waiter->prev;
    pool->waiting--;
}

static int wait_for_one(struct pool *pool, struct connection **ret_connection)
{
    struct pool_waiter waiter = {.prev = pool->last};
    bp_span timeout = pool->database->pool_timeout;
    bp_time begun = bp_clock();
    int status;
    *(pool->last ? &pool->last->next : &pool->first) = &waiter;
    pool->last = &waiter;
    pool->waiting++;
    pool_show(pool);
    status = bp_event_wait(&waiter.event, timeout);
    bp_metric_observe(pool->wait_time, (double)(bp_clock() - begun) / (double)BP_SECOND);
    if (status == 0) {
        *ret_connection = waiter.connection;
        return 0;
    }
    unlink_waiter(pool, &waiter);
    pool_show(pool);
    if (status != BP_TIMEOUT || bp_clock() - begun < timeout)
        return status;
    bp_metric_add(pool->timeouts, 1);
    return BP_BUSY;
}

int pool_take(struct pool *pool, struct connection **ret_connection)
{
    struct connection *connection = pool->first ? NULL : find_free(pool);
    if (!connection)
        return wait_for_one(pool, ret_connection);
    take(pool, connection);
    pool_show(pool);
    *ret_connection = connection;
    return 0;
}

void pool_give_back(struct pool *pool, struct connection *connection)
{
    struct pool_waiter *waiter = pool->first;
    connection->taken = false;
    connection->tx = NULL;
    pool->used--;
    if (waiter) {
        unlink_waiter(pool, waiter);
        take(pool, connection);
        waiter->connection = connection;
        bp_event_set(&waiter->event);
    }
    pool_show(pool);
}
