/* SPDX-License-Identifier: MIT */
/* The writer's side of an interactive transaction: it has the writer for itself until it ends or its time is up. */
#include <time.h>

#include "lane.h"

/* At most until the transaction's deadline. The mutex is held. */
static void wait_for_wake(struct lane *lane, bp_span left)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += left / BP_SECOND;
    until.tv_nsec += left % BP_SECOND;
    if (until.tv_nsec >= BP_SECOND) {
        until.tv_sec++;
        until.tv_nsec -= BP_SECOND;
    }
    lane->sleeping = true;
    pthread_cond_timedwait(&lane->wake, &lane->mutex, &until);
    lane->sleeping = false;
}

/* The next statement of the transaction; NULL when it has ended without one: the fiber will find out when it asks. */
static struct job *next_job(struct lane *lane, struct bp_db_tx *tx)
{
    struct job *job;
    bp_span left;
    pthread_mutex_lock(&lane->mutex);
    while (!tx->job && !lane->stopping && (left = lane->deadline - bp_clock()) > 0)
        wait_for_wake(lane, left);
    job = tx->job;
    tx->job = NULL;
    if (job) {
        job->state = JOB_RUNNING;
    } else {
        tx->ended = true;
        tx->status = lane->stopping ? BP_BUSY : BP_TIMEOUT;
    }
    pthread_mutex_unlock(&lane->mutex);
    return job;
}

/* After this the fiber may free it. */
static void end(struct lane *lane, struct bp_db_tx *tx, int status)
{
    pthread_mutex_lock(&lane->mutex);
    tx->ended = true;
    tx->status = status < 0 ? status : BP_ERROR;
    pthread_mutex_unlock(&lane->mutex);
}

static void run_query(struct lane *lane, struct job *job)
{
    if (lane_is_late(lane))
        job->status = BP_TIMEOUT;
    else
        lane_run(lane, job);
    if (job->status == BP_CANCELED && lane_is_late(lane))
        job->status = BP_TIMEOUT;
}

static void run_commit(struct lane *lane, struct job *job)
{
    /* No longer to be interrupted. */
    lane->deadline = 0;
    job->status = writer_commit(lane, &job->failure);
    writer_note(lane, job->status, &job->failure);
}

static void report(struct lane *lane, struct job *job)
{
    if (job->status != BP_BUSY)
        return;
    lane_log(lane, "sqlite.write_failed", "A transaction failed and was undone", &job->failure, 1);
    job->reported = true;
}

/* True while the transaction goes on. */
static bool run_job(struct lane *lane, struct bp_db_tx *tx, struct job *job)
{
    struct job_list done = {0};
    bool open;
    switch (job->kind) {
    case JOB_QUERY:
        run_query(lane, job);
        break;
    case JOB_COMMIT:
        run_commit(lane, job);
        break;
    default:
        job->status = 0;
        break;
    }
    open = job->kind == JOB_QUERY && job->status == 0;
    if (!open) {
        lane->deadline = 0;
        writer_rollback(lane);
        report(lane, job);
        end(lane, tx, job->status);
    }
    job_list_add(&done, job);
    lane_finish(lane, &done);
    return open;
}

void transaction_work(struct lane *lane, struct job_list *begin)
{
    struct job *job = begin->head;
    struct bp_db_tx *tx = job->tx;
    job->status = writer_begin(lane, &job->failure);
    if (job->status != 0) {
        report(lane, job);
        lane_finish(lane, begin);
        return;
    }
    lane->deadline = bp_clock() + lane->transaction_deadline;
    lane_finish(lane, begin);
    do
        job = next_job(lane, tx);
    while (job && run_job(lane, tx, job));
    lane->deadline = 0;
    /* Without a job its time was up. */
    writer_rollback(lane);
}
