/* SPDX-License-Identifier: MIT */
/* One statement on its way: on the stack of the fiber that waits for it. */
#ifndef POSTGRES_JOB_H
#define POSTGRES_JOB_H

#include <libpq-fe.h>

#include "backplane/iface/database.h"
#include "backplane/wait.h"

struct connection;
struct job_list;

enum job_state {
    JOB_QUEUED, /* in a list: may be taken back */
    JOB_SENT,   /* in a slot of a connection */
    JOB_DONE
};

struct job {
    struct job *prev, *next;
    struct job_list *list; /* while it is queued */
    enum job_state state;
    const struct bp_statement *statement;
    const char *command; /* instead of a statement: COMMIT, ROLLBACK */
    const struct bp_db_value *values;
    size_t count;
    bool begins;   /* the first of a transaction: after BEGIN */
    bool commits;  /* ends one: never cancelled, and unknown when the connection dies */
    bool in_tx;    /* is not run again by itself */
    bool repeated; /* sent again after its connection had died */
    bool unsure;   /* a write that may have taken place then */
    uint8_t lost;  /* times that it lost against another transaction */
    bool replanned;
    struct connection *connection; /* while it is sent */
    unsigned slot;
    PGresult *result; /* the answer, the caller's to clear; NULL: */
    int status;       /* why there is none */
    bp_event event;
};

struct job_list {
    struct job *head, *tail;
    unsigned len;
};

/* At the end, or at the head. */
void job_list_add(struct job_list *list, struct job *job);
void job_list_add_first(struct job_list *list, struct job *job);
/* Takes it out of the list it is in. */
void job_remove(struct job *job);
/* The end of it: wakes its fiber. */
void job_answer(struct job *job, PGresult *result);
void job_fail(struct job *job, int status);
/* What its fiber is told instead of this negative status. */
int job_status(const struct job *job, int status);
void job_list_fail(struct job_list *list, int status);

static inline bool job_reads(const struct job *job)
{
    return job->statement && (job->statement->flags & BP_SQL_READ);
}

#endif
