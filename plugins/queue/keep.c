/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include "sql.h"

#define SWEEP_ROWS 1000
#define SWEEP_ROUNDS 1000u

/* $1: the state; $2: milliseconds. */
static const struct bp_statement sweep =
    BP_STATEMENT(.name = "queue.sweep", .flags = BP_SQL_IDEMPOTENT | BP_SQL_BATCHABLE | BP_SQL_ONCE,
                 .sql =
                     "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = $1 AND finished_at <= " NOW_SQLITE
                     " - $2 ORDER BY finished_at LIMIT $3)",
                 .sql_postgres = "DELETE FROM jobs WHERE id = ANY(ARRAY(SELECT id FROM jobs WHERE state = $1 "
                                 "AND finished_at <= " NOW_POSTGRES " - $2::bigint * interval '1 millisecond' "
                                 "ORDER BY finished_at LIMIT $3 FOR UPDATE SKIP LOCKED))");

/* Their jobs were taken over long ago. */
static const struct bp_statement sweep_workers =
    BP_STATEMENT(.name = "queue.sweep_workers", .flags = BP_SQL_IDEMPOTENT | BP_SQL_BATCHABLE,
                 .sql = "DELETE FROM job_workers WHERE lease_until <= " NOW_SQLITE " - 600000",
                 .sql_postgres =
                     "DELETE FROM job_workers WHERE lease_until <= " NOW_POSTGRES " - interval '10 minutes'");

static int sweep_state(const struct queue *queue, const char *state, bp_span keep)
{
    struct bp_result result = {.changes = SWEEP_ROWS};
    int status = 0;
    for (unsigned round = 0;
         round < SWEEP_ROUNDS && status == 0 && result.changes == SWEEP_ROWS && !queue->stopping && !bp_draining();
         round++)
        status = bp_db_query(
            queue->db, NULL, &sweep,
            BP_VALUES(bp_db_text(bp_str_of(state)), bp_db_i64(keep / BP_MILLISECOND), bp_db_i64(SWEEP_ROWS)), NULL,
            &result);
    return status;
}

static int sweep_all(const struct queue *queue)
{
    int status = sweep_state(queue, "done", queue->keep_done);
    if (status == 0)
        status = sweep_state(queue, "dead", queue->keep_dead);
    if (status == 0)
        status = sweep_state(queue, "cancelled", queue->keep_cancelled);
    if (status == 0)
        status = bp_db_query(queue->db, NULL, &sweep_workers, BP_NO_VALUES, NULL, NULL);
    return status;
}

static int keep(void *argument)
{
    struct queue *queue = argument;
    int status = sweep_all(queue);
    queue->keeping = false;
    bp_event_set(&queue->ended);
    return status > 0                                  ? BP_ERROR
           : status == BP_BUSY || status == BP_TIMEOUT ? 0
                                                       : status; /* the next time will do it */
}

void keep_soon(void *argument)
{
    struct queue *queue = argument;
    if (!queue->keeping && !queue->stopping && bp_serving())
        queue->keeping = bp_spawn(queue->host, "queue.keep", keep, queue, BP_FOREVER) == 0;
}
