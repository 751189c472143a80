/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include "backplane/iface/queue.h"
#include "consume.h"
#include "outbox.h"

#define TIME (45 * BP_SECOND) /* of one run, which has a minute: the next one goes on */

struct consumer_row {
    bp_str name;
    int64_t position;
};
static const struct bp_field consumer_rows[] = {BP_TEXT(struct consumer_row, name),
                                                BP_I64(struct consumer_row, position), BP_END};
static const struct bp_statement consumers =
    BP_STATEMENT(.name = "events.consumers", .flags = BP_SQL_READ, .sql = "SELECT name, position FROM event_consumers",
                 .rows = consumer_rows, .row_size = sizeof(struct consumer_row));

struct bound {
    int64_t position;
};
static const struct bp_field bound_rows[] = {BP_I64(struct bound, position), BP_END};
/* SQLite leaves the last event: see the migration. */
static const struct bp_statement find_bound = BP_STATEMENT(
        .name = "events.find_old", .flags = BP_SQL_READ,
        .sql =
            "SELECT coalesce(max(id), 0) FROM (SELECT id, at FROM events WHERE id <= $2 AND id < (SELECT max(id) FROM"
            " events) ORDER BY id LIMIT 500) WHERE at < $1",
        .sql_postgres = "SELECT coalesce(max(position), 0) FROM (SELECT position, at FROM events WHERE position <= $2"
                        " ORDER BY position LIMIT 500) old WHERE at < $1",
        .rows = bound_rows, .row_size = sizeof(struct bound));
static const struct bp_statement forget =
    BP_STATEMENT(.name = "events.forget", .sql = "UPDATE event_head SET forgotten = max(forgotten, $1)",
                 .sql_postgres = "UPDATE event_head SET forgotten = greatest(forgotten, $1)");
static const struct bp_statement drop = BP_STATEMENT(.name = "events.drop", .sql = "DELETE FROM events WHERE id <= $1",
                                                     .sql_postgres = "DELETE FROM events WHERE position <= $1");

/* What all of those that are loaded have been given. One that has no place yet was given nothing that is here. */
static int find_given(struct events *events, int64_t *ret_position)
{
    struct bp_result result;
    int64_t position = INT64_MAX;
    int status = bp_db_query(events->db, NULL, &consumers, BP_NO_VALUES, bp_fiber_arena(), &result);
    for (size_t i = 0; status == 0 && i < result.len; i++) {
        const struct consumer_row *row = (const struct consumer_row *)result.rows + i;
        if (row->position < position && consume_is_loaded(events, row->name))
            position = row->position;
    }
    if (status == 0)
        *ret_position = position;
    return status;
}

/* Who reads at the same moment sees either the events or that they are forgotten. */
static int drop_upto(struct events *events, int64_t position)
{
    struct bp_db_value value = bp_db_i64(position);
    struct bp_tx *tx;
    int status = bp_db_begin(events->db, &tx);
    if (status != 0)
        return status;
    status = bp_db_query(events->db, tx, &forget, &value, 1, NULL, NULL);
    if (status == 0)
        status = bp_db_query(events->db, tx, &drop, &value, 1, NULL, NULL);
    if (status == 0)
        return bp_db_commit(events->db, tx);
    bp_db_rollback(events->db, tx);
    return status;
}

/* Deletes events for a bounded time. Suspends. */
static int keep_once(struct events *events)
{
    struct outbox_head head;
    int64_t given = 0;
    bp_date before = bp_date_now() - events->retention / BP_MILLISECOND;
    int status = outbox_advance(events, &head);
    if (status == 0)
        status = find_given(events, &given);
    for (bp_time end = bp_clock() + TIME; status == 0 && bp_clock() < end;) {
        struct bp_result result;
        status = bp_db_query(events->db, NULL, &find_bound, BP_VALUES(bp_db_date(before), bp_db_i64(given)),
                             bp_fiber_arena(), &result);
        int64_t bound = status == 0 && result.len == 1 ? ((const struct bound *)result.rows)->position : 0;
        if (bound == 0)
            break;
        status = drop_upto(events, bound);
    }
    return status > 0 ? BP_ERROR : status;
}

/* --- when --- */

static int keep_job(struct bp_job *job, void *argument)
{
    (void)job;
    return keep_once(argument);
}

static const struct bp_job_kind kinds[] = {BP_JOB_KIND(.name = "events.forget",
                                                       .doc = "Deletes events that are older than they are kept.",
                                                       .cron = "*/5 * * * *", .run = keep_job),
                                           BP_JOB_KIND_END};

int keep_init(struct bp_host *host, struct events *events)
{
    return events->queue.vtable ? bp_jobs_add(host, events->queue, kinds, events) : 0;
}

static int keep(void *argument)
{
    struct events *events = argument;
    int status = keep_once(events);
    events->keeping = false;
    return status == BP_BUSY || status == BP_TIMEOUT ? 0 : status; /* the next round will do it */
}

static void keep_soon(void *argument)
{
    struct events *events = argument;
    if (events->keeping)
        return;
    events->keeping = true;
    if (bp_spawn(events->host, "events.forget", keep, events, BP_MINUTE) < 0)
        events->keeping = false;
}

int keep_start(struct events *events)
{
    if (events->queue.vtable)
        return 0;
    events->keep_timer = bp_timer_every(events->host, events->cleanup, keep_soon, events);
    return events->keep_timer ? 0 : BP_NOMEM;
}
