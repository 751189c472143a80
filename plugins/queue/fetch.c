/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <stdlib.h>

#include "sql.h"

#define FETCH_MAX 1024u
/* How many are fetched ahead, at most; while all that one fetch brought is begun within BRIEF. What has been fetched others cannot take any more. */
#define AHEAD_MAX 1024u
#define BRIEF (50 * BP_MILLISECOND)
#define NEVER "100000000000"

struct row {
    bp_uuid id;
    bp_str kind, unique_key, payload, traceparent, tracestate;
    uint32_t attempt, attempts;
    int64_t priority;
    bp_date enqueued_at, run_at, expires_at, started_at;
};

static const struct bp_field rows[] = {BP_UUID(struct row, id),          BP_TEXT(struct row, kind),
                                       BP_TEXT(struct row, unique_key),  BP_TEXT(struct row, payload),
                                       BP_TEXT(struct row, traceparent), BP_TEXT(struct row, tracestate),
                                       BP_U32(struct row, attempt),      BP_U32(struct row, attempts),
                                       BP_I64(struct row, priority),     BP_DATE(struct row, enqueued_at),
                                       BP_DATE(struct row, run_at),      BP_DATE(struct row, expires_at),
                                       BP_DATE(struct row, started_at),  BP_END};

/* $1: we, with a lease that still counts; $2: the queue, which is not paused; $3: kinds that are known here; $4: so many. */
#define CANDIDATES(WHICH, NOW, KNOWN, LIMIT)                                                \
    "SELECT " WHICH " FROM jobs WHERE queue = $2 AND state = 'waiting' AND kind " KNOWN     \
    " AND NOT EXISTS (SELECT 1 FROM job_queues q WHERE q.name = $2 AND q.paused) "          \
    "AND EXISTS (SELECT 1 FROM job_workers w WHERE w.id = $1 AND w.lease_until > " NOW ") " \
    "ORDER BY priority DESC, run_at, id LIMIT " LIMIT
#define TAKE(NOW) "UPDATE jobs SET state = 'running', attempt = attempt + 1, worker = $1, started_at = " NOW " WHERE "
#define FETCHED                                                                                                     \
    " RETURNING id, kind, unique_key, payload, traceparent, tracestate, attempt, attempts, priority, enqueued_at, " \
    "run_at, expires_at, started_at"
#define FETCH_SQLITE(LIMIT) \
    TAKE(NOW_SQLITE) "id IN (" CANDIDATES("id", NOW_SQLITE, "IN (SELECT value FROM json_each($3))", LIMIT) ")" FETCHED
/* By where they are, which nobody can change while they are locked: that spares a second look into the index of ids. */
#define FETCH_POSTGRES(LIMIT)                                                                        \
    TAKE(NOW_POSTGRES)                                                                               \
    "ctid = ANY(ARRAY(" CANDIDATES("ctid", NOW_POSTGRES, "= ANY((SELECT $3::text::text[])::text[])", \
                                   LIMIT) " FOR UPDATE SKIP LOCKED))" FETCHED

/* Planned each time: the table may be empty now and full in a moment, and a plan that is kept for the one is ruinous for the other. */
static const struct bp_statement fetch_some =
    BP_STATEMENT(.name = "queue.fetch", .flags = BP_SQL_BATCHABLE | BP_SQL_ONCE, .sql = FETCH_SQLITE("$4"),
                 .sql_postgres = FETCH_POSTGRES("$4"), .rows = rows, .row_size = sizeof(struct row));

/* Of a queue with a limit: fetched by one at a time, who then counts. $5: the limit. */
#define LIMITED(LEAST, MOST) \
    LEAST "($4, " MOST "(0, $5 - (SELECT count(*) FROM jobs r WHERE r.queue = $2 AND r.state = 'running')))"
static const struct bp_statement lock_queue =
    BP_STATEMENT(.name = "queue.lock", .sql = "UPDATE job_queues SET paused = paused WHERE name = $1");
static const struct bp_statement fetch_limited =
    BP_STATEMENT(.name = "queue.fetch", .flags = BP_SQL_ONCE, .sql = FETCH_SQLITE(LIMITED("min", "max")),
                 .sql_postgres = FETCH_POSTGRES(LIMITED("least", "greatest")), .rows = rows,
                 .row_size = sizeof(struct row));

struct promoted {
    bp_str queue;
};
static const struct bp_field promoted_rows[] = {BP_TEXT(struct promoted, queue), BP_END};
static const struct bp_statement promote =
    BP_STATEMENT(.name = "queue.promote", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT | BP_SQL_ONCE,
                 .sql = "UPDATE jobs SET state = 'waiting' WHERE id IN (SELECT id FROM jobs WHERE state = 'scheduled' "
                        "AND run_at <= " NOW_SQLITE " ORDER BY run_at LIMIT 500) RETURNING queue",
                 .sql_postgres = "UPDATE jobs SET state = 'waiting' WHERE id = ANY(ARRAY(SELECT id FROM jobs "
                                 "WHERE state = 'scheduled' AND run_at <= " NOW_POSTGRES
                                 " ORDER BY run_at LIMIT 500 FOR UPDATE SKIP LOCKED)) RETURNING queue",
                 .rows = promoted_rows, .row_size = sizeof(struct promoted));

struct looked {
    int64_t scheduled, cron; /* milliseconds from now */
    bool abandoned;
    bp_str ready; /* names, with commas */
};
static const struct bp_field looked_rows[] = {BP_I64(struct looked, scheduled), BP_I64(struct looked, cron),
                                              BP_BOOL(struct looked, abandoned), BP_TEXT(struct looked, ready), BP_END};
#define ABANDONED_ANY(NOW) "EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND " ABANDONED(NOW) ")"
static const struct bp_statement look = BP_STATEMENT(
        .name = "queue.look", .flags = BP_SQL_READ,
        .sql = "SELECT COALESCE((SELECT min(run_at) FROM jobs WHERE state = 'scheduled') - " NOW_SQLITE ", " NEVER "), "
               "COALESCE((SELECT min(next_at) FROM job_schedules WHERE kind IN (SELECT value FROM json_each($2))) "
               "- " NOW_SQLITE ", " NEVER "), " ABANDONED_ANY(
                   NOW_SQLITE) ", "
                               "COALESCE((SELECT group_concat(q.value) FROM json_each($1) q "
                               "WHERE EXISTS (SELECT 1 FROM jobs WHERE state = 'waiting' AND queue = q.value)), '')",
        .sql_postgres =
            "SELECT COALESCE((extract(epoch FROM (SELECT min(run_at) FROM jobs WHERE state = 'scheduled') "
            "- " NOW_POSTGRES ") * 1000)::bigint, " NEVER "), "
            "COALESCE((extract(epoch FROM (SELECT min(next_at) FROM job_schedules WHERE kind = ANY($2::text::text[])) "
            "- " NOW_POSTGRES ") * 1000)::bigint, " NEVER "), " ABANDONED_ANY(
                NOW_POSTGRES) ", "
                              "COALESCE((SELECT string_agg(q, ',') FROM unnest($1::text::text[]) q "
                              "WHERE EXISTS (SELECT 1 FROM jobs WHERE state = 'waiting' AND queue = q)), '')",
        .rows = looked_rows, .row_size = sizeof(struct looked));

static char *put(char *end, bp_str text, bp_str *ret_text)
{
    *ret_text = bp_str_n(text.ptr ? end : NULL, text.len);
    if (text.len > 0)
        memcpy(end, text.ptr, text.len);
    end[text.len] = '\0';
    return end + text.len + 1;
}

static struct run *run_new(struct queue *queue, struct kind *kind, const struct row *row, size_t *bytes)
{
    size_t texts = row->unique_key.len + row->payload.len + row->traceparent.len + row->tracestate.len + 4;
    struct run *run = calloc(1, sizeof(*run) + texts);
    if (!run)
        return NULL;
    char *end = put(run->texts, row->unique_key, &run->job.unique);
    end = put(end, row->payload, &run->payload);
    end = put(end, row->traceparent, &run->traceparent);
    put(end, row->tracestate, &run->tracestate);
    run->queue = queue;
    run->kind = kind;
    run->worker = queue->worker;
    run->attempts = row->attempts;
    run->expires_at = row->expires_at;
    run->job.size = sizeof(run->job);
    run->job.attempt = row->attempt;
    run->job.id = row->id;
    run->job.kind = kind->name;
    run->job.enqueued_at = row->enqueued_at;
    run->job.run_at = row->run_at;
    *bytes += sizeof(*row) + texts;
    return run;
}

/* UPDATE … RETURNING has an order of its own. */
static int in_order(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    if (x->run_at != y->run_at)
        return x->run_at < y->run_at ? -1 : 1;
    return memcmp(x->id.bytes, y->id.bytes, sizeof(x->id.bytes));
}

/* Seconds, by the database's clock. */
static double delay(const struct row *row)
{
    bp_date due = row->run_at > row->enqueued_at ? row->run_at : row->enqueued_at;
    return row->started_at > due ? (double)(row->started_at - due) / 1000 : 0;
}

static int take(struct queue *queue, struct lane *lane, uint32_t places, struct bp_result *ret_result)
{
    const struct bp_db_value values[] = {bp_db_uuid(&queue->worker), bp_db_text(lane->name),
                                         bp_db_text(queue->kinds_list), bp_db_i64(places), bp_db_i64(lane->limit)};
    struct bp_arena *arena = bp_fiber_arena();
    struct bp_tx *tx;
    if (lane->limit == 0)
        return bp_db_query(queue->db, NULL, &fetch_some, values, 4, arena, ret_result);
    int status = bp_db_begin(queue->db, &tx);
    if (status != 0)
        return status;
    status = bp_db_query(queue->db, tx, &lock_queue, BP_VALUES(bp_db_text(lane->name)), NULL, NULL);
    if (status == 0)
        status = bp_db_query(queue->db, tx, &fetch_limited, values, 5, arena, ret_result);
    if (status == 0)
        return bp_db_commit(queue->db, tx);
    bp_db_rollback(queue->db, tx);
    return status;
}

uint32_t fetch_places(const struct lane *lane)
{
    uint32_t most = lane->at_a_time + lane->ahead, have = lane->running + lane->ready;
    if (have >= most || lane->ready > lane->ahead / 2)
        return 0;
    return most - have < FETCH_MAX ? most - have : FETCH_MAX;
}

/* Before a fetch: looks further ahead, or no longer, by how soon more jobs are wanted. */
static void look_ahead(struct lane *lane)
{
    bool brief = lane->fetched_at > 0 && bp_clock() - lane->fetched_at < BRIEF;
    if (!brief || lane->limit > 0)
        lane->ahead = 0;
    else if (lane->ahead < AHEAD_MAX)
        lane->ahead = lane->ahead == 0 ? 2 * lane->at_a_time : 2 * lane->ahead;
}

int fetch(struct queue *queue, struct lane *lane, size_t *ret_bytes)
{
    struct bp_result result = {0};
    look_ahead(lane);
    uint32_t places = fetch_places(lane);
    lane->look = false;
    lane->fetched_at = 0;
    bp_hold(); /* a worker that is told to stop waits for what this brings */
    int status = take(queue, lane, places, &result);
    if (status != 0) {
        bp_release();
        lane->look = true;
        if (status == BP_UNKNOWN || status == BP_ERROR || status == BP_NOMEM)
            queue->audit_until = bp_clock() + BP_MINUTE;
        return status > 0 ? BP_ERROR : status;
    }
    struct row *found = result.rows;
    if (result.len > 1)
        qsort(found, result.len, sizeof(*found), in_order);
    if (result.len == places) {
        lane->look = true;
        lane->fetched_at = bp_clock();
    }
    for (size_t i = 0; i < result.len; i++) {
        struct kind *kind = kinds_find(queue, found[i].kind);
        struct run *run = kind ? run_new(queue, kind, &found[i], ret_bytes) : NULL;
        bp_metric_observe(lane->delay, delay(&found[i]));
        if (run)
            ready_add(run);
        else
            queue->audit_until = bp_clock() + BP_MINUTE;
    }
    bp_release();
    return 0;
}

int fetch_promote(struct queue *queue)
{
    struct bp_result result;
    int status = bp_db_query(queue->db, NULL, &promote, BP_NO_VALUES, bp_fiber_arena(), &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : status;
    const struct promoted *promoted = result.rows;
    for (size_t i = 0; i < result.len; i++) {
        struct lane *lane = lanes_find(queue, promoted[i].queue);
        if (!lane || lane->look)
            continue;
        lane->look = true;
        wake_up(&queue->wake, lane->cell);
    }
    return 0;
}

int fetch_look(struct queue *queue, struct outlook *ret_outlook)
{
    struct bp_result result;
    int status =
        bp_db_query(queue->db, NULL, &look, BP_VALUES(bp_db_text(queue->lanes_list), bp_db_text(queue->kinds_list)),
                    bp_fiber_arena(), &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : status;
    const struct looked *looked = result.rows;
    ret_outlook->scheduled = looked->scheduled * BP_MILLISECOND;
    ret_outlook->cron = looked->cron * BP_MILLISECOND;
    ret_outlook->abandoned = looked->abandoned;
    for (bp_str rest = looked->ready; rest.len > 0;) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;
        struct lane *lane = lanes_find(queue, bp_str_n(rest.ptr, len));
        if (lane)
            lane->look = true;
        rest = comma ? bp_str_n(comma + 1, rest.len - len - 1) : bp_str_n(NULL, 0);
    }
    return 0;
}
