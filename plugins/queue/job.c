/* SPDX-License-Identifier: MIT */
#include "job.h"

#include "sql.h"

const char *const job_states[] = {"scheduled", "waiting", "running", "done", "dead", "cancelled", NULL};

#define ROWS                                                                                                        \
    BP_PRESENCE(struct job, set, null), BP_UUID(struct job, id, .flags = BP_READ_ONLY),                             \
        BP_TEXT(struct job, kind, .flags = BP_READ_ONLY | BP_FILTER, .doc = "What it does."),                       \
        BP_TEXT(struct job, queue, .flags = BP_READ_ONLY | BP_FILTER, .doc = "Whose limits it counts to."),         \
        BP_CHOICE(struct job, state, .choices = job_states, .def = "scheduled", .flags = BP_READ_ONLY | BP_FILTER,  \
                  .doc = "scheduled: it is not due yet; waiting: for a jobs worker; dead: it is not tried again."), \
        BP_I64(struct job, priority, .flags = BP_READ_ONLY, .doc = "Those of a higher one are run first."),         \
        BP_I64(struct job, attempt, .flags = BP_READ_ONLY, .doc = "How often it was begun."),                       \
        BP_I64(struct job, attempts, .flags = BP_READ_ONLY, .doc = "How often at most."),                           \
        BP_TEXT(struct job, unique_key, .flags = BP_READ_ONLY | BP_NULLABLE | BP_FILTER,                            \
                .doc = "At most one of its kind with this key waits or runs."),                                     \
        BP_TEXT(struct job, reason, .flags = BP_READ_ONLY | BP_NULLABLE, .doc = "Why it failed the last time."),    \
        BP_UUID(struct job, worker, .flags = BP_READ_ONLY | BP_NULLABLE, .doc = "Which jobs worker runs it."),      \
        BP_BOOL(struct job, cancelled, .flags = BP_READ_ONLY, .doc = "Whether it is to be tried no more."),         \
        BP_DATE(struct job, enqueued_at, .json = "createdAt", .flags = BP_READ_ONLY | BP_FILTER | BP_SORT,          \
                .doc = "When it was asked for."),                                                                   \
        BP_DATE(struct job, run_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT, .doc = "Not before then."),        \
        BP_DATE(struct job, expires_at, .flags = BP_READ_ONLY | BP_NULLABLE, .doc = "Not after then."),             \
        BP_DATE(struct job, started_at, .flags = BP_READ_ONLY | BP_NULLABLE, .doc = "When it was begun last."),     \
        BP_DATE(struct job, finished_at, .flags = BP_READ_ONLY | BP_NULLABLE | BP_FILTER, .doc = "When it ended.")

const struct bp_field job_list_rows[] = {ROWS, BP_END};
const struct bp_field job_rows[] = {
    ROWS,
    BP_TEXT(struct job, payload, .flags = BP_READ_ONLY | BP_NULLABLE,
            .doc = "What it was given, as JSON; null where its kind keeps that secret."),
    BP_BOOL(struct job, known, .flags = BP_READ_ONLY, .doc = "Whether a plugin of this server can run it."), BP_END};

#define COLUMNS                                                                                                 \
    "id, kind, queue, state, priority, attempt, attempts, unique_key, reason, worker, cancelled, enqueued_at, " \
    "run_at, expires_at, started_at, finished_at, payload, true"
#define JOB_STATEMENT(NAME, SQLITE, POSTGRES)                                                      \
    BP_STATEMENT(.name = "queue." NAME, .sql = SQLITE, .sql_postgres = POSTGRES, .rows = job_rows, \
                 .row_size = sizeof(struct job))

static const struct bp_statement find =
    BP_STATEMENT(.name = "queue.find", .flags = BP_SQL_READ, .sql = "SELECT " COLUMNS " FROM jobs WHERE id = $1",
                 .rows = job_rows, .row_size = sizeof(struct job));

#define RETRY(NOW, FALSE, AGE)                                                                  \
    "UPDATE jobs SET state = 'waiting', attempt = 0, cancelled = " FALSE ", run_at = " NOW ", " \
    "expires_at = " NOW " + max_age" AGE ", finished_at = NULL "                                \
    "WHERE id = $1 AND state IN ('dead', 'cancelled', 'scheduled') RETURNING " COLUMNS
static const struct bp_statement retry =
    JOB_STATEMENT("retry", RETRY(NOW_SQLITE, "0", ""), RETRY(NOW_POSTGRES, "false", " * interval '1 millisecond'"));

#define CANCEL(NOW, TRUE)                                                                                       \
    "UPDATE jobs SET state = CASE state WHEN 'running' THEN state ELSE 'cancelled' END, cancelled = " TRUE ", " \
    "finished_at = CASE state WHEN 'running' THEN NULL ELSE " NOW " END, "                                      \
    "reason = CASE state WHEN 'running' THEN reason ELSE 'Cancelled' END, "                                     \
    "next_id = NULL, next_priority = NULL, next_payload = NULL, next_run_at = NULL, next_traceparent = NULL "   \
    "WHERE id = $1 AND state IN " OPEN_STATES " RETURNING " COLUMNS
static const struct bp_statement cancel =
    JOB_STATEMENT("cancel", CANCEL(NOW_SQLITE, "1"), CANCEL(NOW_POSTGRES, "true"));

static bool holds_secret(const struct bp_field *rows)
{
    for (const struct bp_field *row = rows; row->type != BP_TYPE_END; row++)
        if ((row->flags & BP_SECRET) || (row->sub && holds_secret(row->sub)))
            return true;
    return false;
}

static void describe(const struct queue *queue, struct job *job)
{
    const struct kind *kind = kinds_find(queue, job->kind);
    job->known = kind != NULL;
    /* Of what is not known here nobody can say what is in it. */
    if (!kind || !kind->def.payload || holds_secret(kind->def.payload))
        for (unsigned i = 0; job_rows[1 + i].type != BP_TYPE_END; i++)
            if (strcmp(job_rows[1 + i].name, "payload") == 0)
                job->null |= UINT64_C(1) << i;
}

static int run(const struct queue *queue, const struct bp_statement *statement, const bp_uuid *id,
               struct bp_arena *arena, struct job *ret_job)
{
    struct bp_result result;
    int status = bp_db_query(queue->db, NULL, statement, BP_VALUES(bp_db_uuid(id)), arena, &result);
    if (status != 0)
        return status == BP_DB_UNIQUE ? JOB_E_UNIQUE : status > 0 ? BP_ERROR : bp_trace(status);
    if (result.len == 0)
        return JOB_E_MISSING;
    *ret_job = *(const struct job *)result.rows;
    describe(queue, ret_job);
    return 0;
}

int job_find(const struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job)
{
    return run(queue, &find, id, arena, ret_job);
}

static int change(const struct queue *queue, const struct bp_statement *statement, const bp_uuid *id,
                  struct bp_arena *arena, struct job *ret_job)
{
    struct job job;
    int status = run(queue, statement, id, arena, ret_job);
    if (status != JOB_E_MISSING)
        return status;
    status = job_find(queue, id, arena, &job);
    return status == 0 ? JOB_E_STATE : status;
}

int job_retry(struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job)
{
    int status = change(queue, &retry, id, arena, ret_job);
    if (status == 0)
        wake_up(&queue->wake, wake_cell(ret_job->queue));
    return status;
}

int job_cancel(const struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job)
{
    return change(queue, &cancel, id, arena, ret_job);
}
