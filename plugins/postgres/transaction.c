/* SPDX-License-Identifier: MIT */
/* What runs on a connection of its own: transactions of several statements, and single writes that must not share one. */
#include <stdlib.h>

#include "connection.h"

/* Hands a job to the connection of its fiber and waits for its end, whatever happens. A canceled statement ends early. */
static int run(struct connection *connection, struct job *job, bool cancellable)
{
    int status = 0;
    bp_event_init(&job->event);
    job_list_add(&connection->alone, job);
    connection_wake(connection);
    if (cancellable) {
        status = bp_event_wait(&job->event, BP_FOREVER);
        if (status != 0 && job->state == JOB_QUEUED) {
            job_remove(job);
            return status;
        }
        if (status != 0)
            connection_cancel(connection, status);
    }
    bp_event_wait_always(&job->event);
    if (connection->cancel_at != 0) {
        bool failed = !job->result || PQresultStatus(job->result) == PGRES_FATAL_ERROR;
        status = connection->cancel_status;
        connection_cancel_end(connection);
        if (failed) {
            PQclear(job->result);
            job->result = NULL;
            job->status = status;
        }
    }
    return job->status;
}

int pinned_query(struct database *database, struct job *job)
{
    struct connection *connection;
    int status = database->lanes[LANE_WRITE].away ? BP_BUSY : pool_take(&database->pinned, &connection);
    if (status != 0)
        return status;
    status = run(connection, job, false);
    pool_give_back(&database->pinned, connection);
    return status;
}

int database_begin(void *self, struct bp_db_tx **ret_tx)
{
    struct database *database = self;
    struct bp_db_tx *tx;
    int status = database_ready(database, "begin");
    if (status == 0 && database->lanes[LANE_WRITE].away)
        status = BP_BUSY;
    if (status != 0)
        return status;
    tx = calloc(1, sizeof(*tx));
    if (!tx)
        return BP_NOMEM;
    status = pool_take(&database->pinned, &tx->connection);
    if (status != 0) {
        free(tx);
        return status;
    }
    tx->deadline = bp_clock() + database->transaction_deadline;
    tx->connection->tx = tx;
    /* So that its deadline is heeded from now on. */
    connection_wake(tx->connection);
    *ret_tx = tx;
    return 0;
}

int transaction_query(struct database *database, struct bp_db_tx *tx, struct job *job)
{
    int status;
    if (tx->failed != 0 || tx->over)
        return tx->failed != 0 ? tx->failed : BP_BUSY;
    if (tx->running) {
        bp_log(database->host, BP_LOG_ERROR, "postgres.misuse", "Two fibers use one transaction",
               bp_log_cstr("statement", job->statement->name));
        return BP_MISUSE;
    }
    job->in_tx = true;
    job->begins = !tx->begun;
    tx->begun = true;
    tx->running = true;
    status = run(tx->connection, job, true);
    tx->running = false;
    return status;
}

/* COMMIT or ROLLBACK. */
static int end(struct bp_db_tx *tx, struct job *job)
{
    tx->ending = true;
    job->in_tx = true;
    return run(tx->connection, job, false);
}

static void let_go(struct database *database, struct bp_db_tx *tx)
{
    pool_give_back(&database->pinned, tx->connection);
    free(tx);
}

void database_rollback(void *self, struct bp_db_tx *tx)
{
    struct database *database = self;
    struct job job = {.command = "ROLLBACK"};
    if (tx->begun && !tx->over && tx->connection->ready) {
        end(tx, &job);
        PQclear(job.result);
    }
    let_go(database, tx);
}

int database_commit(void *self, struct bp_db_tx *tx)
{
    struct database *database = self;
    struct job job = {.command = "COMMIT", .commits = true};
    int status = tx->failed;
    if (status == 0 && tx->over)
        status = BP_BUSY;
    if (status != 0) {
        database_rollback(self, tx);
        return status;
    }
    if (tx->begun) {
        status = end(tx, &job);
        if (status == 0 && PQresultStatus(job.result) == PGRES_COMMAND_OK &&
            strcmp(PQcmdStatus(job.result), "COMMIT") != 0)
            status = BP_ERROR; /* the server had given it up */
        if (status == 0)
            status = database_finish(database, &job, NULL, NULL);
        else
            PQclear(job.result);
    }
    let_go(database, tx);
    return status;
}

void transaction_late(struct bp_db_tx *tx)
{
    tx->over = true;
    tx->failed = BP_TIMEOUT;
    if (tx->begun)
        batch_rollback(tx->connection);
}

void transaction_lost(struct bp_db_tx *tx)
{
    tx->over = true;
    if (tx->failed == 0)
        tx->failed = BP_BUSY;
}
