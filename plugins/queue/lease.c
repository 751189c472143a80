/* SPDX-License-Identifier: MIT */
#include "lease.h"

#include <unistd.h>

#include "sql.h"

/* Of the lease: renewed after one part; let go when so many were not enough. */
#define PARTS 4
#define PARTS_OURS 3

static const struct bp_statement join =
    BP_STATEMENT(.name = "queue.join", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "INSERT INTO job_workers (id, started_at, lease_until) SELECT $1, " NOW_SQLITE ", " NOW_SQLITE
                        " + $2 "
                        "WHERE true ON CONFLICT (id) DO NOTHING",
                 .sql_postgres =
                     "INSERT INTO job_workers (id, started_at, lease_until) SELECT $1::uuid, " NOW_POSTGRES
                     ", " NOW_POSTGRES " + $2::bigint * interval '1 millisecond' ON CONFLICT (id) DO NOTHING");

static const struct bp_statement renew =
    BP_STATEMENT(.name = "queue.renew", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE job_workers SET lease_until = " NOW_SQLITE
                        " + $2 WHERE id = $1 AND lease_until > " NOW_SQLITE,
                 .sql_postgres =
                     "UPDATE job_workers SET lease_until = " NOW_POSTGRES " + $2::bigint * interval '1 millisecond' "
                     "WHERE id = $1 AND lease_until > " NOW_POSTGRES);

static const struct bp_statement leave =
    BP_STATEMENT(.name = "queue.leave", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM job_workers WHERE id = $1");

/* The first time at once, for most were only in bad company; then later and later, whatever their kind says, which may not be known here. */
#define RESCUE(NOW, LEAST, MS)                                                                                    \
    "UPDATE jobs SET state = CASE WHEN cancelled THEN 'cancelled' WHEN attempt >= attempts OR expires_at <= " NOW \
    " THEN 'dead' ELSE 'scheduled' END, "                                                                         \
    "finished_at = CASE WHEN cancelled OR attempt >= attempts OR expires_at <= " NOW " THEN " NOW " END, "        \
    "run_at = " NOW " + CASE WHEN attempt < 2 THEN 0 ELSE 5000 * (1 << " LEAST ") END" MS ", "                    \
    "reason = 'The worker died', worker = NULL "                                                                  \
    "WHERE state = 'running' AND next_id IS NULL AND " ABANDONED(NOW)

static const struct bp_statement rescue =
    BP_STATEMENT(.name = "queue.rescue", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = RESCUE(NOW_SQLITE, "min(attempt - 2, 9)", ""),
                 .sql_postgres = RESCUE(NOW_POSTGRES, "least(attempt - 2, 9)::int", " * interval '1 millisecond'"));

static const struct bp_statement rescue_follow =
    BP_STATEMENT(.name = "queue.rescue", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = FOLLOW_SQLITE "WHERE state = 'running' AND next_id IS NOT NULL AND " ABANDONED(NOW_SQLITE),
                 .sql_postgres =
                     FOLLOW_POSTGRES "WHERE state = 'running' AND next_id IS NOT NULL AND " ABANDONED(NOW_POSTGRES));

#define GIVE_BACK(NOW)                                                                          \
    "UPDATE jobs SET state = CASE WHEN cancelled THEN 'cancelled' ELSE 'waiting' END, "         \
    "finished_at = CASE WHEN cancelled THEN " NOW " END, attempt = attempt - 1, worker = NULL " \
    "WHERE worker = $1 AND state = 'running' AND next_id IS NULL"

static const struct bp_statement give_back =
    BP_STATEMENT(.name = "queue.give_back", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT, .sql = GIVE_BACK(NOW_SQLITE),
                 .sql_postgres = GIVE_BACK(NOW_POSTGRES));

static const struct bp_statement give_back_follow =
    BP_STATEMENT(.name = "queue.give_back", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = FOLLOW_SQLITE "WHERE worker = $1 AND state = 'running' AND next_id IS NOT NULL",
                 .sql_postgres = FOLLOW_POSTGRES "WHERE worker = $1 AND state = 'running' AND next_id IS NOT NULL");

/* $2: what we know of. Only where answers can be lost. */
static const struct bp_statement audit =
    BP_STATEMENT(.name = "queue.audit", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = GIVE_BACK(NOW_POSTGRES) " AND NOT id = ANY((SELECT $2::text::uuid[])::uuid[])");

static int run(const struct queue *queue, const struct bp_statement *statement, const struct bp_db_value *values,
               size_t count, int64_t *ret_changes)
{
    struct bp_result result;
    int status = bp_db_query(queue->db, NULL, statement, values, count, NULL, &result);
    if (status == 0 && ret_changes)
        *ret_changes = result.changes;
    return status > 0 ? BP_ERROR : status;
}

int lease_join(struct queue *queue)
{
    bp_uuid id = bp_uuid_new();
    bp_time before = bp_clock();
    int status = 0;
    if (queue->has_abandoned) {
        status = run(queue, &leave, BP_VALUES(bp_db_uuid(&queue->abandoned)), NULL);
        if (status == 0)
            queue->has_abandoned = false;
    }
    if (status == 0)
        status = run(queue, &join, BP_VALUES(bp_db_uuid(&id), bp_db_i64(queue->lease / BP_MILLISECOND)), NULL);
    if (status < 0)
        return status;
    queue->worker = id;
    queue->lease_end = before + queue->lease;
    queue->wake.shared->workers[bp_worker_slot()] = id;
    queue->wake.shared->pids[bp_worker_slot()] = getpid();
    return 0;
}

static void let_go(struct queue *queue)
{
    int64_t jobs = 0;
    queue->lease_end = 0;
    for (struct lane *lane = queue->lanes; lane; lane = lane->next)
        ready_let_go(lane);
    for (struct run *each = queue->runs; each; each = each->next) {
        if (!each->fiber)
            continue;
        jobs++;
        each->lost = true;
        bp_fiber_cancel(each->fiber);
    }
    bp_log(queue->host, BP_LOG_ERROR, "queue.lease_lost",
           "The lease of the jobs that run here could not be renewed in time: they are given up",
           bp_log_int("jobs", jobs));
    dispatch_again(queue);
}

static int beat(void *argument)
{
    struct queue *queue = argument;
    bp_uuid worker = queue->worker;
    bp_time before = bp_clock();
    int64_t changes = 0;
    int status = run(queue, &renew, BP_VALUES(bp_db_uuid(&worker), bp_db_i64(queue->lease / BP_MILLISECOND)), &changes);
    if (queue->lease_end != 0 && bp_uuid_eq(&worker, &queue->worker)) {
        if (status == 0 && changes == 0)
            let_go(queue);
        else if (status == 0)
            queue->lease_end = before + queue->lease;
    }
    queue->beating = false;
    if (queue->stopping)
        bp_event_set(&queue->ended);
    return 0;
}

void lease_beat(void *argument)
{
    struct queue *queue = argument;
    if (queue->lease_end == 0 || queue->stopping)
        return;
    if (bp_clock() >= queue->lease_end - queue->lease / PARTS * (PARTS - PARTS_OURS))
        let_go(queue);
    else if (!queue->beating && bp_clock() >= queue->lease_end - queue->lease / PARTS * PARTS_OURS)
        queue->beating = bp_spawn(queue->host, "queue.heartbeat", beat, queue, queue->lease) == 0;
}

int lease_rescue(struct queue *queue)
{
    int64_t rescued = 0, followed = 0;
    int status = run(queue, &rescue, BP_NO_VALUES, &rescued);
    if (status == 0)
        status = run(queue, &rescue_follow, BP_NO_VALUES, &followed);
    if (rescued + followed > 0)
        bp_log(queue->host, BP_LOG_WARN, "queue.rescued", "Jobs of workers that are gone were taken over",
               bp_log_int("jobs", rescued + followed));
    return status;
}

int lease_audit(struct queue *queue)
{
    size_t count = 0, at = 0;
    if (!queue->postgres)
        return 0;
    for (const struct run *each = queue->runs; each; each = each->next)
        count++;
    char *list = bp_arena_alloc(bp_fiber_arena(), count * (BP_UUID_LEN + 1) + 3);
    if (!list)
        return BP_NOMEM;
    list[at++] = '{';
    for (const struct run *each = queue->runs; each; each = each->next) {
        if (at > 1)
            list[at++] = ',';
        bp_uuid_format(&each->job.id, list + at);
        at += BP_UUID_LEN;
    }
    list[at++] = '}';
    return run(queue, &audit, BP_VALUES(bp_db_uuid(&queue->worker), bp_db_text(bp_str_n(list, at))), NULL);
}

void lease_leave(struct queue *queue)
{
    int status = 0;
    if (queue->lease_end == 0)
        return;
    status = run(queue, &give_back, BP_VALUES(bp_db_uuid(&queue->worker)), NULL);
    if (status == 0)
        status = run(queue, &give_back_follow, BP_VALUES(bp_db_uuid(&queue->worker)), NULL);
    if (status == 0)
        (void)run(queue, &leave, BP_VALUES(bp_db_uuid(&queue->worker)), NULL);
    queue->lease_end = 0;
    memset(&queue->wake.shared->workers[bp_worker_slot()], 0, sizeof(bp_uuid));
}
