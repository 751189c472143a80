/* SPDX-License-Identifier: MIT */
/*
 * A lane is a thread with a connection and a queue of jobs. Each worker has two: one reads, one writes. A job lives on the stack
 * of the fiber that waits for it; its memory and its arena belong to the thread from lane_call() until that returns.
 */
#ifndef SQLITE_LANE_H
#define SQLITE_LANE_H

#include <pthread.h>
#include <stdatomic.h>

#include "backplane/backplane.h"
#include "connection.h"

struct lane;

enum job_kind { JOB_QUERY, JOB_BEGIN, JOB_COMMIT, JOB_ROLLBACK, JOB_PROBE /* a write that changes nothing */ };
enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE };

struct job {
    struct job *prev, *next;
    enum job_kind kind;
    enum job_state state; /* under the lane's mutex */
    uint64_t number;      /* in the order of asking */
    struct bp_db_tx *tx;  /* NULL: outside of a transaction; JOB_BEGIN: the one to begin */
    const struct bp_statement *statement;
    const struct bp_db_value *values;
    size_t count;
    struct bp_arena *arena;
    struct bp_result result;
    int status;
    bool reported; /* the thread has written a log line about it */
    struct failure failure;
    bp_event event; /* the loop's */
};

/* An interactive transaction. The fiber that began it frees it; the writer looks at it only until it has ended. */
struct bp_db_tx {
    int failed;      /* the fiber's: the first status that was not 0 of a statement in it */
    struct job *job; /* the one statement that waits for the writer */
    bool ended;      /* the writer has let go of it; under the mutex like the rest */
    int status;      /* why, when it ended before commit or rollback */
};

struct job_list {
    struct job *head, *tail;
    unsigned len;
};
void job_list_add(struct job_list *list, struct job *job);

struct lane {
    struct bp_host *host;
    struct connection_options options;
    bp_span transaction_deadline;
    unsigned limit;               /* jobs that may wait */
    struct bp_mutex *write_lock;  /* shared by the workers; the writer's only */
    struct bp_series *waiting;    /* the gauge of the queue's length */
    void (*work)(struct lane *);  /* on the thread: until lane_wait() says stop */
    struct connection connection; /* the thread's */
    bp_time logged;               /* the thread's: when it last wrote a line about a failure */
    bp_time deadline;             /* the thread's: of the open transaction; 0: none */
    atomic_bool failing;          /* the last write could not be made, for want of space, say */

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct job_list queue;
    uint64_t asked;        /* the number of the job queued last */
    struct job_list done;  /* finished, not yet told to the loop */
    struct job *running;   /* may be interrupted */
    atomic_bool interrupt; /* and is to be */
    bool sleeping;         /* the thread waits for wake */
    bool posted;           /* the loop has been told that there is something in done */
    bool stopping;
    int open_status; /* of opening the connection, and why */
    struct failure failure;
    bp_event opened, closed;
};

struct lane_options {
    struct bp_host *host;
    struct connection_options connection;
    bp_span transaction_deadline;
    unsigned limit;
    struct bp_mutex *write_lock;
    struct bp_series *waiting;
    void (*work)(struct lane *);
    const char *name; /* of the thread, 15 letters at most */
};

/* --- on the loop's thread --- */

/* Starts the thread, and suspends until it has opened the connection. Not 0: the reason is in failure. */
int lane_start(const struct lane_options *options, struct lane **ret_lane, struct failure *failure);
/* Suspends until the thread has worked off what is queued, joins it, frees the lane. Accepts NULL, returns NULL. */
struct lane *lane_stop(struct lane *lane);
/* Hands the job to the thread and suspends until it is done: its status. Cancelled or timed out while it is queued: taken back.
 * While it runs: interrupted when it reads or belongs to a transaction, and waited for. A job of a transaction that
 * has ended is not run. cancellable: false waits in any case. */
int lane_call(struct lane *lane, struct job *job, bool cancellable, bp_span timeout);

/* --- on the lane's thread --- */

/* Waits until something is queued: false when the lane stops and nothing is left to do. */
bool lane_wait(struct lane *lane);
/* How many jobs wait, and the number of the last of them. */
unsigned lane_look(struct lane *lane, uint64_t *ret_last);
/* The job that has waited longest; NULL when none is left up to that number. Does not wait. */
struct job *lane_next(struct lane *lane, uint64_t last);
/* Takes what is at the head of the queue: either one job, or several batchable writes. Empty when they were taken back. */
void lane_take(struct lane *lane, struct job_list *ret_jobs);
/* True when the time of the open transaction is up. */
bool lane_is_late(const struct lane *lane);
/* Runs the job's statement; sets its status. */
void lane_run(struct lane *lane, struct job *job);
/* Tells the loop that these are done. The jobs are gone after that. */
void lane_finish(struct lane *lane, struct job_list *jobs);
/* One line in the log about what an operator must mend, at most one a second. */
void lane_log(struct lane *lane, const char *event, const char *message, const struct failure *failure, unsigned jobs);

/* The two kinds of work. */
void reader_work(struct lane *lane);
void writer_work(struct lane *lane);
/* The writer's: runs one interactive transaction from its begin, the only job of the list, to its end. The write lock is held. */
void transaction_work(struct lane *lane, struct job_list *begin);
/* BEGIN IMMEDIATE, and the ends of a transaction. 0, a condition of a deferred constraint, or a negative status. */
int writer_begin(struct lane *lane, struct failure *failure);
int writer_commit(struct lane *lane, struct failure *failure);
void writer_rollback(struct lane *lane);
/* Notes what the end of a write says about writes to come; another program's lock says nothing, it passes. */
void writer_note(struct lane *lane, int status, const struct failure *failure);

#endif
