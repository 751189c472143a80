/* SPDX-License-Identifier: MIT */
/* How much there is in each queue, and whether it is let out. */
#include "job.h"

#include "sql.h"

const struct bp_field depth_rows[] = {BP_TEXT(struct depth, name),
                                      BP_BOOL(struct depth, paused, .doc = "Whether none of its jobs is begun."),
                                      BP_I64(struct depth, waiting, .doc = "Jobs that could run."),
                                      BP_I64(struct depth, scheduled, .doc = "Jobs that are not due yet."),
                                      BP_I64(struct depth, running, .doc = "Jobs that run."),
                                      BP_I64(struct depth, dead, .doc = "Jobs that are not tried again."),
                                      BP_F64(struct depth, oldest, .json = "oldestSeconds",
                                             .doc = "For how long the first of those that wait could have run."),
                                      BP_END};

/* By state, because each has an index of its own; jobs that are done are many, and are not looked at. */
#define COUNT(STATE)                                                                                             \
    "SELECT queue, '" STATE "' AS state, count(*) AS jobs, min(run_at) AS first FROM jobs WHERE state = '" STATE \
    "' GROUP BY queue"
#define DEPTHS(FALSE, TYPE, OLDEST)                                                                                    \
    "SELECT n.name, COALESCE(q.paused, " FALSE "), n.waiting, n.scheduled, n.running, n.dead, " OLDEST " FROM "        \
    "(SELECT name, sum(waiting)" TYPE " AS waiting, sum(scheduled)" TYPE " AS scheduled, sum(running)" TYPE            \
    " AS running, "                                                                                                    \
    "sum(dead)" TYPE " AS dead, min(first) AS first FROM (SELECT name, 0 AS waiting, 0 AS scheduled, 0 AS running, 0 " \
    "AS dead, NULL AS first "                                                                                          \
    "FROM job_queues UNION ALL SELECT queue, CASE state WHEN 'waiting' THEN jobs ELSE 0 END, "                         \
    "CASE state WHEN 'scheduled' THEN jobs ELSE 0 END, CASE state WHEN 'running' THEN jobs ELSE 0 END, "               \
    "CASE state WHEN 'dead' THEN jobs ELSE 0 END, CASE state WHEN 'waiting' THEN first END FROM (" COUNT(              \
        "waiting") " UNION ALL " COUNT("scheduled") " UNION ALL " COUNT("running") " UNION ALL " COUNT("dead") ") c) " \
                                                                                                               "u "    \
                                                                                                               "WHERE" \
                                                                                                               " $1 "  \
                                                                                                               "= '' " \
                                                                                                               "OR "   \
                                                                                                               "name " \
                                                                                                               "= $1 " \
                                                                                                               "GROUP" \
                                                                                                               " BY "  \
                                                                                                               "name)" \
                                                                                                               " n "   \
                                                                                                               "LEFT " \
                                                                                                               "JOIN " \
                                                                                                               "job_"  \
                                                                                                               "queue" \
                                                                                                               "s q "  \
                                                                                                               "ON "   \
                                                                                                               "q."    \
                                                                                                               "name " \
                                                                                                               "= "    \
                                                                                                               "n."    \
                                                                                                               "name " \
                                                                                                               "ORDER" \
                                                                                                               " BY "  \
                                                                                                               "n."    \
                                                                                                               "name"

static const struct bp_statement list =
    BP_STATEMENT(.name = "queue.depths", .flags = BP_SQL_READ,
                 .sql = DEPTHS("0", "", "COALESCE((" NOW_SQLITE " - n.first) / 1000.0, 0.0)"),
                 .sql_postgres =
                     DEPTHS("false", "::bigint", "COALESCE(extract(epoch FROM " NOW_POSTGRES " - n.first), 0)::float8"),
                 .rows = depth_rows, .row_size = sizeof(struct depth));

static const struct bp_statement pause_queue =
    BP_STATEMENT(.name = "queue.pause", .sql = "UPDATE job_queues SET paused = $2 WHERE name = $1");
/* One that a plugin of this server has, and no jobs worker has written down yet. */
static const struct bp_statement pause_known =
    BP_STATEMENT(.name = "queue.pause", .sql = "INSERT INTO job_queues (name, paused) VALUES ($1, $2) "
                                               "ON CONFLICT (name) DO UPDATE SET paused = excluded.paused");

int depth_list(const struct queue *queue, bp_str name, struct bp_arena *arena, struct depth **ret_depths,
               size_t *ret_count)
{
    struct bp_result result;
    int status =
        bp_db_query(queue->db, NULL, &list, BP_VALUES(bp_db_text(name.ptr ? name : BP_STR(""))), arena, &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : bp_trace(status);
    *ret_depths = result.rows;
    *ret_count = result.len;
    return 0;
}

int depth_pause(struct queue *queue, bp_str name, bool paused)
{
    struct bp_result result;
    int status = bp_db_query(queue->db, NULL, lanes_find(queue, name) ? &pause_known : &pause_queue,
                             BP_VALUES(bp_db_text(name), bp_db_bool(paused)), NULL, &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : bp_trace(status);
    if (result.changes == 0)
        return JOB_E_MISSING;
    if (!paused)
        wake_up(&queue->wake, wake_cell(name));
    return 0;
}
