/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include "backplane/iface/database.h"
#include "backplane/iface/queue.h"
#include "repeat.h"
#include "send.h"
#include "todo.h"

struct dropped {
    bp_str todo_id;
};

static const struct bp_field dropped_rows[] = {BP_TEXT(struct dropped, todo_id), BP_END};

/* Changes nothing when it is planned, or was sent, at that very time. */
static const struct bp_statement plan =
    BP_STATEMENT(.name = "reminders.plan",
                 .sql = "INSERT INTO reminders (todo_id, remind_at) VALUES ($1, $2) ON CONFLICT (todo_id) DO UPDATE "
                        "SET remind_at = excluded.remind_at, sent_at = NULL "
                        "WHERE reminders.remind_at <> excluded.remind_at");

/* Of a time that has passed: one that waits for its turn is left alone. */
static const struct bp_statement drop_other =
    BP_STATEMENT(.name = "reminders.drop_other",
                 .sql = "DELETE FROM reminders WHERE todo_id = $1 AND remind_at <> $2 RETURNING todo_id",
                 .rows = dropped_rows, .row_size = sizeof(struct dropped));

static const struct bp_statement drop =
    BP_STATEMENT(.name = "reminders.drop",
                 .sql = "DELETE FROM reminders WHERE todo_id IN (SELECT value FROM json_each($1)) RETURNING todo_id",
                 .sql_postgres = "DELETE FROM reminders WHERE todo_id IN (SELECT jsonb_array_elements_text($1::jsonb)) "
                                 "RETURNING todo_id",
                 .rows = dropped_rows, .row_size = sizeof(struct dropped));

struct batch {
    struct reminders *reminders;
    struct bp_tx *tx;
    struct bp_arena *arena;
    char *list; /* of identifiers, in JSON, of what may have been planned and is no more */
    size_t list_len;
};

static int done(int status)
{
    return status > 0 ? BP_ERROR : status;
}

static int cancel(const struct batch *batch, const struct bp_result *gone)
{
    const struct reminders *reminders = batch->reminders;
    const struct dropped *rows = gone->rows;
    for (size_t i = 0; i < gone->len; i++) {
        int status = bp_job_cancel(reminders->queue, batch->tx, reminders->send_name, rows[i].todo_id, NULL);
        if (status != 0)
            return done(status);
    }
    return 0;
}

static int enqueue(const struct batch *batch, bp_str id, const struct todo *todo, bp_date at)
{
    const struct reminder reminder = {.todo_id = todo->id, .remind_at = at};
    return done(bp_enqueue(
        batch->reminders->queue, batch->tx,
        &BP_JOB(.kind = batch->reminders->send_name, .payload = &reminder, .unique = id, .replace = 1, .run_at = at),
        NULL));
}

static int plan_one(const struct batch *batch, bp_str id, const struct todo *todo, bp_date at, bp_date now)
{
    struct bp_service db = batch->reminders->db;
    struct bp_result result;
    bool past = at < now - batch->reminders->late / BP_MILLISECOND;
    int status = bp_db_query(db, batch->tx, past ? &drop_other : &plan, BP_VALUES(bp_db_text(id), bp_db_date(at)),
                             batch->arena, &result);
    if (status != 0)
        return done(status);
    if (past)
        return cancel(batch, &result);
    return result.changes > 0 ? enqueue(batch, id, todo, at) : 0;
}

static void drop_later(struct batch *batch, const char id[BP_UUID_LEN])
{
    char *at = batch->list + batch->list_len;
    *at++ = batch->list_len > 0 ? ',' : '[';
    *at++ = '"';
    memcpy(at, id, BP_UUID_LEN);
    at[BP_UUID_LEN] = '"';
    batch->list_len += BP_UUID_LEN + 3;
}

static int drop_all(struct batch *batch)
{
    struct bp_result result;
    if (batch->list_len == 0)
        return 0;
    batch->list[batch->list_len++] = ']';
    int status = bp_db_query(batch->reminders->db, batch->tx, &drop,
                             BP_VALUES(bp_db_text(bp_str_n(batch->list, batch->list_len))), batch->arena, &result);
    return status != 0 ? done(status) : cancel(batch, &result);
}

/* What is said of the same todo later in the batch is all that counts. */
static bool is_last(const struct bp_events_item *items, size_t count, size_t index)
{
    for (size_t i = index + 1; i < count; i++)
        if (bp_uuid_eq(&items[i].subject_id, &items[index].subject_id) && !bp_str_is(items[i].type, REMINDER_EVENT))
            return false;
    return true;
}

static int follow_one(struct batch *batch, const struct bp_events_item *item, bool last)
{
    struct todo todo = {0};
    bp_str problem;
    bp_date at;
    char id[BP_UUID_LEN];
    int status = bp_object_decode(todo_rows, item->data, batch->arena, &todo, &problem);
    if (status == BP_NOMEM)
        return status;
    if (status != 0) {
        bp_log(batch->reminders->host, BP_LOG_ERROR, "reminders.unreadable", "An event of a todo cannot be read",
               bp_log_int("position", item->position), bp_log_str("reason", problem));
        return 0;
    }
    if (bp_str_is(item->type, "todo.completed") && todo_has(&todo, "recurrence")) {
        status = repeat_todo(batch->reminders, batch->tx, &todo, item->data);
        if (status != 0)
            return status;
    }
    if (!last)
        return 0;
    bp_uuid_format(&item->subject_id, id);
    if (!bp_str_is(item->type, "todo.deleted") && todo_reminds(&todo, batch->reminders->due, &at))
        return plan_one(batch, bp_str_n(id, sizeof(id)), &todo, at, item->at);
    if (!bp_str_is(item->type, "todo.created"))
        drop_later(batch, id);
    return 0;
}

int plan_follow(struct bp_tx *tx, const struct bp_events_item *items, size_t count, void *argument)
{
    struct batch batch = {.reminders = argument, .tx = tx, .arena = bp_fiber_arena()};
    int status = 0;
    batch.list = bp_arena_array(batch.arena, count + 1, BP_UUID_LEN + 3);
    if (!batch.list)
        return BP_NOMEM;
    for (size_t i = 0; i < count && status == 0; i++)
        if (bp_str_starts(items[i].type, BP_STR("todo.")) && !bp_str_is(items[i].type, REMINDER_EVENT))
            status = follow_one(&batch, &items[i], is_last(items, count, i));
    return status != 0 ? status : drop_all(&batch);
}
