/* SPDX-License-Identifier: MIT */
#include "repeat.h"

#include <sodium.h>

#include "backplane/iface/todos.h"

/* In a list that is there no more it is in none; of an account that is there no more it is not at all. */
static const struct bp_statement insert = BP_STATEMENT(
        .name = "reminders.repeat", .tag = "todos:user:$2",
        .sql =
            "INSERT INTO todos (id, user_id, title, created_at, updated_at, description, priority, due_at, remind_at, "
            "recurrence, list_id, tags, position) SELECT $1, u.id, $3, $4, $4, $5, $6, $7, $8, $9, (SELECT id FROM "
            "lists WHERE id = $10 AND user_id = $2), json_extract($11, '$.tags'), $12 FROM users u WHERE u.id = $2 ON "
            "CONFLICT (id) DO "
            "NOTHING",
        .sql_postgres =
            "INSERT INTO todos (id, user_id, title, created_at, updated_at, description, priority, due_at, remind_at, "
            "recurrence, list_id, tags, position) SELECT $1::uuid, u.id, $3::text, $4::timestamptz, $4::timestamptz, "
            "$5::text, $6::bigint, $7::timestamptz, $8::timestamptz, $9::text, (SELECT id FROM lists WHERE id = "
            "$10::uuid AND user_id = $2), $11::jsonb -> 'tags', $12::double precision FROM users u WHERE u.id = $2 "
            "ON CONFLICT (id) DO NOTHING");

/* The same each time, so that it is added once however often the todo is completed. A version 8 UUID (RFC 9562). */
static bp_uuid next_id(const bp_uuid *id)
{
    static const unsigned char key[] = "recurrence of todos";
    bp_uuid next;
    (void)crypto_generichash(next.bytes, sizeof(next.bytes), id->bytes, sizeof(id->bytes), key, sizeof(key) - 1);
    next.bytes[6] = (uint8_t)((next.bytes[6] & 0x0f) | 0x80);
    next.bytes[8] = (uint8_t)((next.bytes[8] & 0x3f) | 0x80);
    return next;
}

int repeat_todo(const struct reminders *reminders, struct bp_tx *tx, const struct todo *todo, bp_str data)
{
    bool due = todo_has(todo, "due_at"), reminds = todo_has(todo, "remind_at");
    bp_date from = due ? todo->due_at : reminds ? todo->remind_at : todo->completed_at, next = 0;
    bp_date now = bp_date_now();
    bp_uuid id = next_id(&todo->id);
    char rule[BP_TODOS_RULE_MAX];
    int status = bp_todos_next(reminders->todos, todo->recurrence, from,
                               reminders->skip_missed ? todo->completed_at : from, &next, rule);
    bp_date remind_at = reminds && status == 0 ? todo->remind_at + (next - from) : 0;
    if (status == BP_TODOS_E_ENDED || remind_at > BP_DATE_LAST)
        return 0;
    if (status < 0) {
        bp_log(reminders->host, BP_LOG_ERROR, "reminders.recurrence", "A todo has a recurrence that is none",
               bp_log_str("recurrence", todo->recurrence));
        return 0;
    }
    status = bp_db_query(reminders->db, tx, &insert,
                         BP_VALUES(bp_db_uuid(&id), bp_db_uuid(&todo->user_id), bp_db_text(todo->title),
                                   bp_db_date(now), bp_db_text(todo->description), bp_db_i64(todo->priority),
                                   due || !reminds ? bp_db_date(next) : bp_db_null(),
                                   reminds ? bp_db_date(remind_at) : bp_db_null(), bp_db_text(bp_str_of(rule)),
                                   todo_has(todo, "list_id") ? bp_db_uuid(&todo->list_id) : bp_db_null(),
                                   bp_db_text(data), bp_db_f64((double)now)),
                         NULL, NULL);
    return status > 0 ? BP_ERROR : status;
}
