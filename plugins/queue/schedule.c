/* SPDX-License-Identifier: MIT */
#include "schedule.h"

/* A time that has passed longer ago was missed. */
#define TIMELY_MS 10000

struct due {
    bp_str kind, cron;
    bp_date next_at;
};

static const struct bp_field rows[] = {BP_TEXT(struct due, kind), BP_TEXT(struct due, cron),
                                       BP_DATE(struct due, next_at), BP_END};

/* Another schedule than before begins anew. */
static const struct bp_statement announce =
    BP_STATEMENT(.name = "queue.announce_schedule", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "INSERT INTO job_schedules (kind, cron, next_at) VALUES ($1, $2, $3) ON CONFLICT (kind) "
                        "DO UPDATE SET cron = excluded.cron, next_at = excluded.next_at "
                        "WHERE job_schedules.cron <> excluded.cron");
static const struct bp_statement announce_queue =
    BP_STATEMENT(.name = "queue.announce_queue", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "INSERT INTO job_queues (name) VALUES ($1) ON CONFLICT (name) DO NOTHING");
static const struct bp_statement list_due =
    BP_STATEMENT(.name = "queue.schedules_due", .flags = BP_SQL_READ,
                 .sql = "SELECT kind, cron, next_at FROM job_schedules WHERE next_at <= $1", .rows = rows,
                 .row_size = sizeof(struct due));
static const struct bp_statement move =
    BP_STATEMENT(.name = "queue.schedule_move",
                 .sql = "UPDATE job_schedules SET next_at = $3, last_at = next_at WHERE kind = $1 AND next_at = $2");

int schedule_announce(struct queue *queue)
{
    int status = 0;
    for (const struct lane *lane = queue->lanes; lane && status == 0; lane = lane->next)
        status = bp_db_query(queue->db, NULL, &announce_queue, BP_VALUES(bp_db_text(lane->name)), NULL, NULL);
    for (const struct kind *kind = queue->kinds; kind && status == 0; kind = kind->next)
        if (kind->def.cron)
            status = bp_db_query(queue->db, NULL, &announce,
                                 BP_VALUES(bp_db_text(kind->name), bp_db_text(bp_str_of(kind->def.cron)),
                                           bp_db_date(cron_next(&kind->cron, bp_date_now()))),
                                 NULL, NULL);
    return status > 0 ? BP_ERROR : status;
}

static int fire(struct queue *queue, const struct kind *kind, const struct due *due, bp_date now)
{
    bool missed = cron_next(&kind->cron, now - TIMELY_MS) > now;
    struct bp_result result;
    struct bp_tx *tx;
    int status = bp_db_begin(queue->db, &tx);
    if (status != 0)
        return status;
    status =
        bp_db_query(queue->db, tx, &move,
                    BP_VALUES(bp_db_text(due->kind), bp_db_date(due->next_at), bp_db_date(cron_next(&kind->cron, now))),
                    NULL, &result);
    if (status == 0 && result.changes == 1 && !(missed && kind->def.skip_missed))
        status = enqueue_scheduled(queue, tx, kind);
    if (status == 0 && result.changes == 1)
        return bp_db_commit(queue->db, tx);
    bp_db_rollback(queue->db, tx); /* somebody else has done it */
    return status > 0 ? BP_ERROR : status;
}

int schedule_run(struct queue *queue)
{
    bp_date now = bp_date_now();
    struct bp_result result;
    int status = bp_db_query(queue->db, NULL, &list_due, BP_VALUES(bp_db_date(now)), bp_fiber_arena(), &result);
    const struct due *due = result.rows;
    for (size_t i = 0; status == 0 && i < result.len; i++) {
        const struct kind *kind = kinds_find(queue, due[i].kind);
        if (kind && kind->def.cron && bp_str_is(due[i].cron, kind->def.cron))
            status = fire(queue, kind, &due[i], now);
    }
    return status > 0 ? BP_ERROR : status;
}
