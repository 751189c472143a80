/* SPDX-License-Identifier: MIT */
/*
 * The thread that writes. All workers' writers take turns by a mutex in shared memory, which is fairer and faster than SQLite's own
 * polling. What is queued meanwhile shares one transaction, and so one flush to the disk: each write in a savepoint of its own,
 * acknowledged only when the commit is durable.
 */
#include "lane.h"

#include <stdio.h>

#define ROLLBACK_AGAIN_MS 10

static const struct bp_statement begin = BP_STATEMENT(.name = "begin", .sql = "BEGIN IMMEDIATE");
static const struct bp_statement commit = BP_STATEMENT(.name = "commit", .sql = "COMMIT");
static const struct bp_statement rollback = BP_STATEMENT(.name = "rollback", .sql = "ROLLBACK");
static const struct bp_statement savepoint = BP_STATEMENT(.name = "savepoint", .sql = "SAVEPOINT one");
static const struct bp_statement release = BP_STATEMENT(.name = "release", .sql = "RELEASE one");
static const struct bp_statement undo = BP_STATEMENT(.name = "undo", .sql = "ROLLBACK TO one");

static int run(struct lane *lane, const struct bp_statement *statement, struct failure *failure)
{
    return connection_run(&lane->connection, statement, NULL, 0, NULL, NULL, failure);
}

int writer_begin(struct lane *lane, struct failure *failure)
{
    return run(lane, &begin, failure);
}

int writer_commit(struct lane *lane, struct failure *failure)
{
    return run(lane, &commit, failure);
}

void writer_rollback(struct lane *lane)
{
    struct failure ignored;
    /* SQLite has done it itself after some failures. Without memory it is tried again: an open transaction would outlive the lock. */
    while (!sqlite3_get_autocommit(lane->connection.db) && run(lane, &rollback, &ignored) == BP_NOMEM)
        sqlite3_sleep(ROLLBACK_AGAIN_MS);
}

void writer_note(struct lane *lane, int status, const struct failure *failure)
{
    int code = failure->code & 0xff;
    bool locked = code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_PROTOCOL;
    if (status == 0 || (status == BP_BUSY && !locked))
        atomic_store_explicit(&lane->failing, status != 0, memory_order_relaxed);
}

/* One write of several: what it did is undone when it fails. Not 0: the whole transaction has failed. */
static int run_in_savepoint(struct lane *lane, struct job *job, struct failure *failure)
{
    int status = run(lane, &savepoint, failure);
    if (status != 0)
        return status;
    lane_run(lane, job);
    if (job->status == BP_BUSY || sqlite3_get_autocommit(lane->connection.db)) {
        *failure = job->failure;
        return job->status != 0 ? job->status : BP_ERROR;
    }
    if (job->status != 0) {
        status = run(lane, &undo, failure);
        if (status != 0)
            return status;
    }
    return run(lane, &release, failure);
}

static void fail_all(struct lane *lane, struct job_list *jobs, int status, const struct failure *failure)
{
    lane_log(lane, "sqlite.write_failed", "Writes could not be committed and were undone", failure, jobs->len);
    writer_note(lane, status, failure);
    for (struct job *job = jobs->head; job; job = job->next) {
        job->status = status == BP_NOMEM ? BP_NOMEM : BP_BUSY;
        job->reported = true;
    }
}

/* A single write: its own failure is the transaction's. */
static void write_one(struct lane *lane, struct job *job)
{
    struct job_list alone = {.head = job, .tail = job, .len = 1};
    struct failure failure = {0};
    int status = writer_begin(lane, &failure);
    if (status == 0) {
        lane_run(lane, job);
        status = job->status;
        if (status == 0) {
            status = writer_commit(lane, &failure);
            job->status = status; /* a deferred foreign key shows up here */
        } else {
            failure = job->failure;
        }
    }
    if (status != 0)
        writer_rollback(lane);
    else
        writer_note(lane, 0, &failure);
    if (status == BP_BUSY)
        fail_all(lane, &alone, status, &failure);
    else if (status < 0)
        job->status = status;
    job->failure = failure;
}

/* True when all of them have their status; false when something only one of them did has spoiled the commit. */
static bool write_group(struct lane *lane, struct job_list *jobs)
{
    struct failure failure = {0};
    int status = writer_begin(lane, &failure);
    for (struct job *job = jobs->head; job && status == 0; job = job->next)
        status = run_in_savepoint(lane, job, &failure);
    if (status == 0)
        status = writer_commit(lane, &failure);
    writer_note(lane, status, &failure);
    if (status == 0)
        return true;
    writer_rollback(lane);
    if (status != BP_BUSY && status != BP_NOMEM)
        return false;
    fail_all(lane, jobs, status, &failure);
    return true;
}

/* Writes the first page as it is. An extended result code. */
static int rewrite_version(sqlite3 *db)
{
    sqlite3_stmt *read = NULL;
    char sql[64];
    int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &read, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(read);
    int version = code == SQLITE_ROW ? sqlite3_column_int(read, 0) : 0;
    (void)sqlite3_finalize(read);
    if (code != SQLITE_ROW)
        return code;
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Where that works there is room for a little, at least. */
static void write_probe(struct lane *lane, struct job *job)
{
    job->status = writer_begin(lane, &job->failure);
    if (job->status == 0 && rewrite_version(lane->connection.db) != SQLITE_OK) {
        failure_take(&job->failure, lane->connection.db);
        job->status = failure_status(job->failure.code);
    }
    if (job->status == 0)
        job->status = writer_commit(lane, &job->failure);
    if (job->status != 0)
        writer_rollback(lane);
    job->reported = true; /* by whoever asked */
    writer_note(lane, job->status, &job->failure);
}

static void write_jobs(struct lane *lane, struct job_list *jobs)
{
    if (jobs->len > 1 && write_group(lane, jobs))
        return;
    for (struct job *job = jobs->head, *next; job; job = next) {
        next = job->next;
        job->result = (struct bp_result){0};
        write_one(lane, job);
    }
}

void writer_work(struct lane *lane)
{
    while (lane_wait(lane)) {
        struct job_list jobs;
        /* The previous owner may have died holding it: SQLite itself rolls back what that one left. */
        bp_mutex_lock(lane->write_lock);
        lane_take(lane, &jobs);
        if (jobs.len == 1 && jobs.head->kind == JOB_BEGIN)
            transaction_work(lane, &jobs);
        else if (jobs.len == 1 && jobs.head->kind == JOB_PROBE)
            write_probe(lane, jobs.head);
        else if (jobs.len > 0)
            write_jobs(lane, &jobs);
        bp_mutex_unlock(lane->write_lock);
        lane_finish(lane, &jobs);
        connection_checkpoint(&lane->connection, &lane->options);
    }
}
