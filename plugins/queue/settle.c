/* SPDX-License-Identifier: MIT */
/*
 * What became of jobs, into the database: of those that were done as many at a time as there are. Each statement says whose the job is: one
 * that was taken away meanwhile is not touched. What cannot be written now is tried again until the worker stops; then it is for others to
 * find that job running nowhere.
 */
#include "queue.h"
#include "sql.h"

#define BATCH_SQLITE 32u
#define BATCH_POSTGRES 512u
#define AGAIN_AFTER (100 * BP_MILLISECOND)

/* Only one that runs has a worker. Without its state, or Postgres prefers the index of those that run, and looks for each id among all of them. */
#define OURS "worker = $1"
#define IDS_SQLITE                                                                                            \
    "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, " \
    "$24, $25, $26, $27, $28, $29, $30, $31, $32, $33)"

/* Joined, so that the list is read once. Planned each time, as in fetch.c. */
#define ENDED "unnest($2::text::uuid[]) AS ended (job) WHERE jobs.id = ended.job"

static const struct bp_statement done =
    BP_STATEMENT(.name = "queue.done", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT | BP_SQL_ONCE,
                 .sql = "UPDATE jobs SET state = 'done', finished_at = " NOW_SQLITE ", worker = NULL, reason = NULL "
                        "WHERE id IN " IDS_SQLITE " AND " OURS " AND next_id IS NULL",
                 .sql_postgres =
                     "UPDATE jobs SET state = 'done', finished_at = " NOW_POSTGRES ", worker = NULL, reason = NULL "
                     "FROM " ENDED " AND " OURS " AND next_id IS NULL");

/* Where those that are done are not kept. */
static const struct bp_statement done_away =
    BP_STATEMENT(.name = "queue.done", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT | BP_SQL_ONCE,
                 .sql = "DELETE FROM jobs WHERE id IN " IDS_SQLITE " AND " OURS " AND next_id IS NULL",
                 .sql_postgres = "DELETE FROM jobs USING " ENDED " AND " OURS " AND next_id IS NULL");

static const struct bp_statement follow =
    BP_STATEMENT(.name = "queue.follow", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = FOLLOW_SQLITE "WHERE id IN " IDS_SQLITE " AND " OURS " AND next_id IS NOT NULL",
                 .sql_postgres = FOLLOW_POSTGRES "FROM " ENDED " AND " OURS " AND next_id IS NOT NULL");

/* $3: the state, $4: milliseconds until the next attempt, $5: why. */
#define FAILED(NOW, AFTER)                                                                            \
    "UPDATE jobs SET state = CASE WHEN cancelled AND $3 = 'scheduled' THEN 'cancelled' ELSE $3 END, " \
    "run_at = CASE WHEN $3 = 'scheduled' THEN " NOW " + " AFTER " ELSE run_at END, "                  \
    "finished_at = CASE WHEN $3 = 'scheduled' AND NOT cancelled THEN NULL ELSE " NOW " END, "         \
    "reason = $5, worker = NULL WHERE id = $2 AND " OURS " AND next_id IS NULL"

static const struct bp_statement failed =
    BP_STATEMENT(.name = "queue.failed", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT, .sql = FAILED(NOW_SQLITE, "$4"),
                 .sql_postgres = FAILED(NOW_POSTGRES, "$4::bigint * interval '1 millisecond'"));

/* The values of a statement about several jobs: the worker, and their ids. */
struct ids {
    struct bp_db_value values[1 + BATCH_SQLITE];
    size_t count; /* of values */
    size_t jobs;
};

static bool list_ids(const struct queue *queue, struct run *const *runs, size_t count, struct ids *ret_ids)
{
    char *list = queue->postgres ? bp_arena_alloc(bp_fiber_arena(), count * (BP_UUID_LEN + 1) + 2) : NULL;
    *ret_ids = (struct ids){.values[0] = bp_db_uuid(&runs[0]->worker), .jobs = count};
    if (!queue->postgres) {
        for (size_t i = 0; i < count; i++)
            ret_ids->values[1 + i] = bp_db_uuid(&runs[i]->job.id);
        ret_ids->count = 1 + BATCH_SQLITE;
        return true;
    }
    if (!list)
        return false;
    for (size_t i = 0; i < count; i++) {
        list[i * (BP_UUID_LEN + 1)] = i > 0 ? ',' : '{';
        bp_uuid_format(&runs[i]->job.id, list + i * (BP_UUID_LEN + 1) + 1);
    }
    list[count * (BP_UUID_LEN + 1)] = '}';
    ret_ids->values[1] = bp_db_text(bp_str_n(list, count * (BP_UUID_LEN + 1) + 1));
    ret_ids->count = 2;
    return true;
}

/* Those that somebody wants to be followed by another, after a statement that left them out. */
static int settle_followed(const struct queue *queue, const struct ids *ids, int64_t changed)
{
    struct bp_result result;
    if (changed >= (int64_t)ids->jobs)
        return 0;
    int status = bp_db_query(queue->db, NULL, &follow, ids->values, ids->count, NULL, &result);
    if (status == 0 && result.changes > 0)
        wake_up((struct wake *)(uintptr_t)&queue->wake, WAKE_SCHEDULED);
    return status;
}

static int settle_done(const struct queue *queue, struct run *const *runs, size_t count)
{
    struct ids ids;
    struct bp_result result;
    if (!list_ids(queue, runs, count, &ids))
        return BP_NOMEM;
    int status =
        bp_db_query(queue->db, NULL, queue->keep_done > 0 ? &done : &done_away, ids.values, ids.count, NULL, &result);
    return status == 0 ? settle_followed(queue, &ids, result.changes) : status;
}

static int settle_failed(const struct queue *queue, struct run *run)
{
    struct ids ids;
    struct bp_result result;
    bp_str state = run->outcome == OUTCOME_DEAD ? BP_STR("dead") : BP_STR("scheduled");
    int status = bp_db_query(queue->db, NULL, &failed,
                             BP_VALUES(bp_db_uuid(&run->worker), bp_db_uuid(&run->job.id), bp_db_text(state),
                                       bp_db_i64(run->retry_after / BP_MILLISECOND),
                                       bp_db_text(bp_str_n(run->reason, run->reason_len))),
                             NULL, &result);
    if (status != 0)
        return status;
    if (result.changes > 0 && run->outcome == OUTCOME_RETRY)
        wake_up((struct wake *)(uintptr_t)&queue->wake, WAKE_SCHEDULED);
    return list_ids(queue, &run, 1, &ids) ? settle_followed(queue, &ids, result.changes) : BP_NOMEM;
}

/* Takes from the head of the list as many as one statement may settle: done ones of one worker, or one that failed. */
static size_t take(struct queue *queue, struct run **runs)
{
    size_t count = 0, most = queue->postgres ? BATCH_POSTGRES : BATCH_SQLITE;
    while (queue->settle_first && count < most) {
        struct run *run = queue->settle_first;
        if (count > 0 && (run->outcome != OUTCOME_DONE || runs[0]->outcome != OUTCOME_DONE ||
                          !bp_uuid_eq(&run->worker, &runs[0]->worker)))
            break;
        queue->settle_first = run->settle_next;
        runs[count++] = run;
    }
    if (!queue->settle_first)
        queue->settle_last = &queue->settle_first;
    return count;
}

static void put_back(struct queue *queue, struct run **runs, size_t count)
{
    while (count-- > 0) {
        runs[count]->settle_next = queue->settle_first;
        if (!queue->settle_first)
            queue->settle_last = &runs[count]->settle_next;
        queue->settle_first = runs[count];
    }
}

static void forget(struct queue *queue, struct run **runs, size_t count)
{
    static const char *const names[] = {"done", "retry", "dead", "given_back"};
    for (size_t i = 0; i < count; i++) {
        if (runs[i]->kind->lane->limit > 0)
            runs[i]->kind->lane->look = true; /* its place among those of all replicas is free only now */
        count_outcome(queue, runs[i]->kind, names[runs[i]->outcome]);
        run_free(runs[i]);
    }
    queue->unsettled -= (uint32_t)count;
}

static int settle(void *argument)
{
    struct queue *queue = argument;
    struct run *runs[BATCH_POSTGRES];
    bp_time patience = 0;
    for (unsigned rounds = 0; queue->settle_first && rounds < 64; rounds++) {
        size_t count = take(queue, runs);
        int status = runs[0]->outcome == OUTCOME_DONE         ? settle_done(queue, runs, count)
                     : runs[0]->outcome == OUTCOME_GIVEN_BACK ? 0
                                                              : settle_failed(queue, runs[0]);
        if (status < 0 && queue->stopping && patience == 0)
            patience = bp_clock() + 2 * BP_SECOND;
        if (status < 0 && !(queue->stopping && bp_clock() >= patience)) {
            put_back(queue, runs, count);
            if (bp_sleep(AGAIN_AFTER) < 0)
                break;
            continue;
        }
        forget(queue, runs, count);
        dispatch_again(queue);
    }
    queue->settling = false;
    if (queue->settle_first) /* with a fresh arena */
        queue->settling = bp_spawn(queue->host, "queue.settle", settle, queue, BP_FOREVER) == 0;
    if (!queue->settling)
        bp_event_set(&queue->ended);
    return 0;
}

void settle_add(struct run *run)
{
    struct queue *queue = run->queue;
    run->settle_next = NULL;
    *queue->settle_last = run;
    queue->settle_last = &run->settle_next;
    queue->unsettled++;
    if (!queue->settling)
        queue->settling = bp_spawn(queue->host, "queue.settle", settle, queue, BP_FOREVER) == 0;
    dispatch_again(queue);
}
