/* SPDX-License-Identifier: MIT */
/* Jobs to be, in the transaction of who asks for them: one statement, whether it is unique, due, told to other servers, or not. */
#include "schedule.h"
#include "sql.h"

struct enqueued {
    bp_uuid id;
    bool ready;
};

static const struct bp_field rows[] = {BP_UUID(struct enqueued, id), BP_BOOL(struct enqueued, ready), BP_END};

#define COLUMNS                                                                                                   \
    "id, kind, queue, state, priority, attempts, max_age, unique_key, payload, enqueued_at, run_at, expires_at, " \
    "traceparent, tracestate"

#define INSERT_SQLITE                                                                                                 \
    "INSERT INTO jobs (" COLUMNS ") SELECT $1, $2, $3, CASE WHEN t.at <= t.now THEN 'waiting' ELSE 'scheduled' END, " \
    "$4, $5, $6, $7, $8, t.now, t.at, t.at + $6, $10, $11 "                                                           \
    "FROM (SELECT n.now AS now, COALESCE($9, n.now) AS at FROM (SELECT " NOW_SQLITE " AS now) n) t WHERE true "

/* A job that is due tells the jobs workers of other servers, when none of this one would take it at once: a notification makes commits wait
 * for each other. */
#define INSERT_POSTGRES                                                                                           \
    "WITH job AS (INSERT INTO jobs (" COLUMNS ") SELECT $1::uuid, $2::text, $3::text, "                           \
    "CASE WHEN t.at <= t.now THEN 'waiting' ELSE 'scheduled' END, $4::bigint, $5::bigint, $6::bigint, $7::text, " \
    "$8::text, t.now, t.at, t.at + $6::bigint * interval '1 millisecond', $10::text, $11::text "                  \
    "FROM (SELECT n.now AS now, COALESCE($9::timestamptz, n.now) AS at FROM (SELECT " NOW_POSTGRES " AS now) n) t "
#define NOTIFY_POSTGRES(FLAG)                                                                                          \
    ") SELECT id, CASE WHEN state = 'waiting' AND " FLAG " THEN pg_notify('" QUEUE_CHANNEL "', $3::text) IS NOT NULL " \
    "ELSE state = 'waiting' END FROM job"

/* Its id is new, so that it may be sent again when nobody knows whether it arrived. */
static const struct bp_statement insert =
    BP_STATEMENT(.name = "queue.enqueue", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = INSERT_SQLITE "ON CONFLICT (id) DO NOTHING RETURNING id, state = 'waiting'",
                 .sql_postgres =
                     INSERT_POSTGRES "ON CONFLICT (id) DO NOTHING RETURNING id, state" NOTIFY_POSTGRES("$12"),
                 .rows = rows, .row_size = sizeof(struct enqueued));

/*
 * What there is with that key: one that waits becomes the new one where that is to replace it; one that runs is followed by the new one, when that
 * was to replace it, or when it has been cancelled. $12: replace.
 */
#define ANEW "($12 AND jobs.state <> 'running')"
#define FOLLOWED "(jobs.state = 'running' AND ($12 OR jobs.cancelled))"
#define IF_ANEW(COLUMN) COLUMN " = CASE WHEN " ANEW " THEN excluded." COLUMN " ELSE jobs." COLUMN " END, "
#define IF_FOLLOW(COLUMN, VALUE) COLUMN " = CASE WHEN " FOLLOWED " THEN excluded." VALUE " ELSE jobs." COLUMN " END"
#define ON_CONFLICT                                                                                                    \
    "ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL AND state IN " OPEN_STATES                            \
    " DO UPDATE SET " IF_ANEW("id") IF_ANEW("queue") IF_ANEW("state") IF_ANEW("priority") IF_ANEW("attempts") IF_ANEW( \
        "max_age") IF_ANEW("payload") IF_ANEW("enqueued_at") IF_ANEW("run_at") IF_ANEW("expires_at")                   \
        IF_ANEW("traceparent") IF_ANEW(                                                                                \
            "tracestate") "attempt = CASE WHEN " ANEW " THEN 0 ELSE jobs.attempt END, "                                \
                          "reason = CASE WHEN " ANEW                                                                   \
                          " THEN NULL ELSE jobs.reason END, " IF_FOLLOW("next_id", "id") ", " IF_FOLLOW(               \
                              "next_priority",                                                                         \
                              "priority") ", " IF_FOLLOW("next_payload",                                               \
                                                         "payload") ", " IF_FOLLOW("next_run_at",                      \
                                                                                   "run_at") ", " IF_FOLLOW("next_"    \
                                                                                                            "tracepar" \
                                                                                                            "ent",     \
                                                                                                            "tracepar" \
                                                                                                            "ent") " " \
                                                                                                                   "R" \
                                                                                                                   "E" \
                                                                                                                   "T" \
                                                                                                                   "U" \
                                                                                                                   "R" \
                                                                                                                   "N" \
                                                                                                                   "I" \
                                                                                                                   "N" \
                                                                                                                   "G" \
                                                                                                                   " " \
                                                                                                                   "C" \
                                                                                                                   "O" \
                                                                                                                   "A" \
                                                                                                                   "L" \
                                                                                                                   "E" \
                                                                                                                   "S" \
                                                                                                                   "C" \
                                                                                                                   "E" \
                                                                                                                   "(" \
                                                                                                                   "n" \
                                                                                                                   "e" \
                                                                                                                   "x" \
                                                                                                                   "t" \
                                                                                                                   "_" \
                                                                                                                   "i" \
                                                                                                                   "d" \
                                                                                                                   "," \
                                                                                                                   " " \
                                                                                                                   "i" \
                                                                                                                   "d" \
                                                                                                                   ")"

static const struct bp_statement insert_unique =
    BP_STATEMENT(.name = "queue.enqueue_unique", .flags = BP_SQL_BATCHABLE,
                 .sql = INSERT_SQLITE ON_CONFLICT ", state = 'waiting'",
                 .sql_postgres = INSERT_POSTGRES ON_CONFLICT " AS id, state" NOTIFY_POSTGRES("$13"), .rows = rows,
                 .row_size = sizeof(struct enqueued));

#define SCHEDULED_CONFLICT                                                                                    \
    "ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL AND state IN " OPEN_STATES " DO UPDATE SET " \
    "state = excluded.state, run_at = excluded.run_at WHERE jobs.state = 'scheduled' RETURNING id"

static const struct bp_statement insert_scheduled =
    BP_STATEMENT(.name = "queue.enqueue_scheduled", .sql = INSERT_SQLITE SCHEDULED_CONFLICT ", state = 'waiting'",
                 .sql_postgres = INSERT_POSTGRES SCHEDULED_CONFLICT ", state" NOTIFY_POSTGRES("$12"), .rows = rows,
                 .row_size = sizeof(struct enqueued));

struct cancelled {
    bool running;
};

static const struct bp_field cancelled_rows[] = {BP_BOOL(struct cancelled, running), BP_END};

/* What was to follow one that runs is gone, too. */
#define CANCEL(NOW, FALSE, TRUE)                                                                                \
    "UPDATE jobs SET state = CASE state WHEN 'running' THEN state ELSE 'cancelled' END, cancelled = " TRUE ", " \
    "finished_at = CASE state WHEN 'running' THEN NULL ELSE " NOW " END, "                                      \
    "reason = CASE state WHEN 'running' THEN reason ELSE 'Cancelled' END, "                                     \
    "next_id = NULL, next_priority = NULL, next_payload = NULL, next_run_at = NULL, next_traceparent = NULL "   \
    "WHERE kind = $1 AND unique_key = $2 AND state IN " OPEN_STATES " RETURNING state = 'running'"

static const struct bp_statement cancel =
    BP_STATEMENT(.name = "queue.cancel", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = CANCEL(NOW_SQLITE, "0", "1"), .sql_postgres = CANCEL(NOW_POSTGRES, "false", "true"),
                 .rows = cancelled_rows, .row_size = sizeof(struct cancelled));

static bool is_sound(const struct kind *kind, const struct bp_job_new *job)
{
    return kind && job->unique.len <= QUEUE_UNIQUE_MAX && job->priority >= -QUEUE_PRIORITY_MAX &&
           job->priority <= QUEUE_PRIORITY_MAX && (!job->payload || kind->def.payload) && bp_fiber_arena();
}

static int misuse(const struct queue *queue, const char *kind)
{
    bp_log(queue->host, BP_LOG_ERROR, "queue.misuse", "A job was to be enqueued, or cancelled, that cannot be",
           bp_log_cstr("kind", kind));
    return BP_MISUSE;
}

struct carried {
    bp_str parent, state;
};

static void carry(void *argument, const char *name, bp_str value)
{
    struct carried *carried = argument;
    if (strcmp(name, "traceparent") == 0)
        carried->parent = bp_arena_copy(bp_fiber_arena(), value);
    else if (strcmp(name, "tracestate") == 0)
        carried->state = bp_arena_copy(bp_fiber_arena(), value);
}

static void wake_lane(void *argument)
{
    const struct lane *lane = argument;
    wake_up(&lane->queue->wake, lane->cell);
}

static void wake_schedule(void *argument)
{
    struct queue *queue = argument;
    wake_up(&queue->wake, WAKE_SCHEDULED);
}

static struct bp_db_value optional(bp_str text)
{
    return bp_db_text(text.len > 0 ? text : bp_str_n(NULL, 0));
}

struct insertion {
    const struct bp_statement *statement;
    const struct kind *kind;
    bp_str unique, payload;
    bp_date run_at;
    int32_t priority;
    bool has_replace, replace;
};

static int insert_job(struct queue *queue, struct bp_tx *tx, const struct insertion *job, bp_uuid *ret_id)
{
    const struct bp_job_kind *def = &job->kind->def;
    struct carried carried = {0};
    struct bp_result result;
    bp_uuid id = bp_uuid_new();
    bp_trace_inject(carry, &carried);
    struct bp_db_value values[13] = {bp_db_uuid(&id),
                                     bp_db_text(job->kind->name),
                                     bp_db_text(job->kind->lane->name),
                                     bp_db_i64(job->priority),
                                     bp_db_i64(def->attempts),
                                     def->max_age > 0 ? bp_db_i64(def->max_age / BP_MILLISECOND) : bp_db_null(),
                                     optional(job->unique),
                                     bp_db_text(job->payload),
                                     job->run_at != 0 ? bp_db_date(job->run_at) : bp_db_null(),
                                     optional(carried.parent),
                                     optional(carried.state)};
    size_t count = 11;
    if (job->has_replace)
        values[count++] = bp_db_bool(job->replace);
    if (queue->postgres)
        values[count++] = bp_db_bool(!wake_is_hungry(&queue->wake));
    int status = bp_db_query(queue->db, tx, job->statement, values, count, bp_fiber_arena(), &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : bp_trace(status);
    /* No row: nothing was to be done, or this statement had arrived before. */
    const struct enqueued *enqueued = result.len > 0 ? result.rows : &(struct enqueued){.id = id, .ready = true};
    *ret_id = enqueued->id;
    return enqueued->ready ? bp_db_after_commit(queue->db, tx, wake_lane, job->kind->lane)
                           : bp_db_after_commit(queue->db, tx, wake_schedule, queue);
}

int enqueue_scheduled(struct queue *queue, struct bp_tx *tx, const struct kind *kind)
{
    bp_uuid id;
    return insert_job(queue, tx,
                      &(struct insertion){.statement = &insert_scheduled, .kind = kind, .unique = BP_STR("schedule")},
                      &id);
}

int enqueue(void *self, struct bp_tx *tx, const struct bp_job_new *job, bp_uuid *ret_id)
{
    struct queue *queue = self;
    struct bp_job_new known = {0};
    memcpy(&known, job, job->size < sizeof(known) ? job->size : sizeof(known));
    const struct kind *kind = known.kind ? kinds_find(queue, bp_str_of(known.kind)) : NULL;
    bp_uuid id;
    if (!is_sound(kind, &known))
        return misuse(queue, known.kind);
    struct bp_trace_span *span = bp_trace_begin(kind->def.name, BP_TRACE_PRODUCER);
    bp_trace_text_borrow(span, "messaging.operation.type", BP_STR("send"));
    bp_trace_text_borrow(span, "messaging.system", BP_STR("backplane"));
    bp_trace_text_borrow(span, "messaging.destination.name", kind->lane->name);
    struct insertion insertion = {.statement = known.unique.len > 0 ? &insert_unique : &insert,
                                  .kind = kind,
                                  .unique = known.unique,
                                  .run_at = known.run_at,
                                  .priority = known.priority,
                                  .has_replace = known.unique.len > 0,
                                  .replace = known.replace != 0};
    int status = 0;
    if (known.payload) {
        insertion.payload = bp_object_encode(kind->def.payload, known.payload, bp_fiber_arena());
        status = insertion.payload.ptr ? 0 : BP_NOMEM;
    }
    if (status == 0)
        status = insert_job(queue, tx, &insertion, &id);
    if (status == 0) {
        char text[BP_UUID_LEN];
        bp_uuid_format(&id, text);
        bp_trace_text(span, "messaging.message.id", bp_str_n(text, sizeof(text)));
        if (ret_id)
            *ret_id = id;
    } else {
        bp_trace_error(span, bp_status_name(status));
    }
    bp_trace_end(span);
    return status;
}

int enqueue_cancel(void *self, struct bp_tx *tx, const char *kind, bp_str unique, bool *ret_found)
{
    const struct queue *queue = self;
    struct bp_result result;
    if (!kind || !kinds_find(queue, bp_str_of(kind)) || unique.len == 0 || unique.len > QUEUE_UNIQUE_MAX ||
        !bp_fiber_arena())
        return misuse(queue, kind);
    int status = bp_db_query(queue->db, tx, &cancel, BP_VALUES(bp_db_text(bp_str_of(kind)), bp_db_text(unique)),
                             bp_fiber_arena(), &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : bp_trace(status);
    if (ret_found)
        *ret_found = result.len > 0 && !((const struct cancelled *)result.rows)->running;
    return 0;
}
