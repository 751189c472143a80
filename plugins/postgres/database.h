/* SPDX-License-Identifier: MIT */
/* An instance: its options, then what it needs to run. All of it lives on the worker's thread. */
#ifndef POSTGRES_DATABASE_H
#define POSTGRES_DATABASE_H

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "lane.h"
#include "listener.h"
#include "pool.h"
#include "schema.h"
#include "url.h"

#define DATABASE_WHY BP_HEALTH_DETAIL

struct database {
    /* options */
    bp_str url, direct_url, read_url;
    bp_str sslmode, sslrootcert, sslcert, sslkey, application_name;
    uint32_t readers, writers, pool, queue;
    bp_span statement_timeout, lock_timeout, connect_timeout, pool_timeout, transaction_deadline, grace;
    bool pooler, migrate;
    uint32_t at_start; /* enum at_start */

    struct bp_host *host;
    struct target target, direct, replica; /* of url, direct_url, read_url; the last two may be zeroes */
    char *session;                         /* SQL that sets a session up */
    char *prelude;                         /* with a pooler: SQL that does so for each transaction */
    struct bp_metric *waiting, *used, *connections, *connections_max, *pending, *timeouts, *wait_time;

    /* from start to stop */
    bool running;
    struct lane lanes[LANES];
    struct pool pinned;
    struct schema schema;
    struct listener listener;
    bool resolving;         /* a name is looked up: one at a time, so that a dead resolver holds one thread */
    bool canceling;         /* PQcancel() runs: one at a time, for the same reason */
    bool read_only;         /* the last write was refused by a read-only server */
    bp_time logged;         /* when a failure of a statement was last written to the log */
    char why[DATABASE_WHY]; /* it is away: the last failure to connect; "" before the first */
};

extern const struct bp_metric_row database_metrics[];
extern const struct bp_database_vtable database_vtable;
extern const struct bp_health_check database_health;

/* Whether schema and fiber allow a query now: 0, BP_BUSY or BP_MISUSE. */
int database_ready(struct database *database, const char *operation);
/* What came of a job: decodes rows, logs what nobody else can, frees the result. Its status. */
int database_finish(struct database *database, struct job *job, struct bp_arena *arena, struct bp_result *ret_result);
/* See struct bp_database_vtable. */
int database_begin(void *self, struct bp_db_tx **ret_tx);
int database_commit(void *self, struct bp_db_tx *tx);
void database_rollback(void *self, struct bp_db_tx *tx);
int transaction_query(struct database *database, struct bp_db_tx *tx, struct job *job);
/* A write that must not share a transaction, on a connection of its own for as long as it takes. */
int pinned_query(struct database *database, struct job *job);

#endif
