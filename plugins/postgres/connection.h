/* SPDX-License-Identifier: MIT */
/*
 * A connection in pipeline mode, and the fiber that keeps it: connects, sends a batch, hears its answers, hands them out after the
 * Sync that committed them, and connects again.
 */
#ifndef POSTGRES_CONNECTION_H
#define POSTGRES_CONNECTION_H

#include "connect.h"
#include "database.h"
#include "prepared.h"

/* How long an answer may be late beyond statement_timeout until the server is given up. */
#define STALL_MARGIN (2 * BP_SECOND)

enum slot_kind { SLOT_COMMAND, SLOT_PREPARE, SLOT_QUERY, SLOT_SYNC };

/* Something that was sent, in order, and will be answered. */
struct slot {
    enum slot_kind kind;
    bool answered;
    bool synced;               /* a Sync follows that was sent: it may have been committed */
    struct job *job;           /* NULL: none, or its fiber has given up */
    bool for_job;              /* it had one */
    struct prepared *prepared; /* SLOT_PREPARE */
    PGresult *result;
};

struct connection {
    struct database *database;
    struct lane *lane; /* NULL: pinned */
    const struct target *target;
    PGconn *pg; /* NULL: not connected */
    struct bp_watch *watch;
    bp_event event;
    bool ready, readable, writing;
    bool pooled;     /* a pooler is in between */
    bool broken;     /* of no use any more, because of: */
    bool stalled;    /* no answer in time */
    bool said_fatal; /* the server gave a reason, in answer to a statement: what followed did not take place */
    bool reopen;     /* try another server */
    bool forget;     /* DEALLOCATE ALL before anything else */
    char why[DATABASE_WHY];
    bp_time opened, heard; /* since when; when something last came */
    struct slot *slots;
    unsigned slot_count, slot_cap, done, group; /* answered; where the part begins that waits for its Sync */
    struct job_list alone;                      /* jobs that each have a Sync of their own */
    struct prepared_table prepared;

    /* pinned */
    bool taken;
    struct bp_db_tx *tx;
    bp_time cancel_at; /* 0: none; when the running statement was asked to end */
    int cancel_status; /* what it then returns */
    bool asking;       /* the server is being asked; cancel_done is set after that */
    bp_event cancel_done;
};

struct connection *connection_create(struct database *database, struct lane *lane, const struct target *target);
/* Its fiber has ended. Accepts NULL, returns NULL. */
struct connection *connection_destroy(struct connection *connection);
/* Starts its fiber. */
int connection_start(struct connection *connection);
/* There may be something to do. */
void connection_wake(struct connection *connection);
/* Ends what runs in the transaction, with this status. */
void connection_cancel(struct connection *connection, int status);
/* Suspends until the server has been asked, so that the next statement is not hit. */
void connection_cancel_end(struct connection *connection);

/* Sends what is to be done next, if anything. */
void batch_send(struct connection *connection);
/* Takes what has come. */
void batch_receive(struct connection *connection);
/* The connection is gone: answers, or puts back, what it had. */
void batch_abandon(struct connection *connection);
/* Ends the transaction that nobody waits for any more; the connection is not busy. */
void batch_rollback(struct connection *connection);
/* Takes a sent job out of its slot: its fiber does not wait for the answer. */
void batch_forget_job(struct job *job);

static inline bool connection_busy(const struct connection *connection)
{
    return connection->done < connection->slot_count;
}

/* transaction.c */
struct bp_db_tx {
    struct connection *connection;
    bp_time deadline;
    int failed;   /* the first status of it that was not 0, as a negative one */
    bool begun;   /* the server knows of it */
    bool running; /* a statement of it */
    bool over;    /* the server has rolled it back, or is gone */
    bool ending;  /* its deadline counts no longer */
};
/* Its time is up and nothing runs. */
void transaction_late(struct bp_db_tx *tx);
/* Its connection is gone. */
void transaction_lost(struct bp_db_tx *tx);

#endif
