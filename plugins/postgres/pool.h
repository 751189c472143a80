/* SPDX-License-Identifier: MIT */
/* Connections that belong to one fiber at a time: for transactions, and writes that must run alone. */
#ifndef POSTGRES_POOL_H
#define POSTGRES_POOL_H

#include "backplane/backplane.h"

struct connection;
struct database;

struct pool_waiter {
    struct pool_waiter *prev, *next;
    struct connection *connection; /* given */
    bp_event event;
};

struct pool {
    struct database *database;
    struct connection **connections;
    unsigned count, used;
    struct pool_waiter *first, *last;
    unsigned waiting;
    struct bp_series *used_series, *waiting_series; /* by their older names */
    struct bp_series *idle, *taken, *pending, *timeouts, *wait_time;
};

int pool_start(struct database *database, unsigned count);
void pool_free(struct pool *pool);
/* Suspends until one is free: 0, BP_BUSY after the pool's timeout, BP_CANCELED, BP_TIMEOUT. It may still have to connect. */
int pool_take(struct pool *pool, struct connection **ret_connection);
/* One of its connections was made, or is gone. */
void pool_show(struct pool *pool);
void pool_give_back(struct pool *pool, struct connection *connection);

#endif
