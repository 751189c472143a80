/* SPDX-License-Identifier: MIT */
#include "todo.h"

#include "backplane/status.h"

#define COLUMNS "id, title, completed, user_id, created_at, updated_at"

/* Both the columns above, in order, and the members of a reply. */
const struct bp_field todo_fields[] = {
    BP_UUID(struct todo, id),
    BP_TEXT(struct todo, title),
    BP_BOOL(struct todo, completed),
    BP_UUID(struct todo, user_id),
    BP_DATE(struct todo, created_at),
    BP_DATE(struct todo, updated_at),
    BP_END,
};

_Static_assert(offsetof(struct todo_listed, todo) == 0, "todo_fields describe a listed todo too");
static const struct bp_field listed_columns[] = {
    BP_UUID(struct todo, id),          BP_TEXT(struct todo, title),
    BP_BOOL(struct todo, completed),   BP_UUID(struct todo, user_id),
    BP_DATE(struct todo, created_at),  BP_DATE(struct todo, updated_at),
    BP_I64(struct todo_listed, total), BP_END,
};

struct count {
    int64_t total;
};
static const struct bp_field count_columns[] = {BP_I64(struct count, total), BP_END};

static const struct bp_statement create =
    BP_STATEMENT(.name = "todos.create", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "INSERT INTO todos (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (id) DO NOTHING",
                 .tag = "todos:user:$4");

/* One statement gives a page and the total of the same moment. */
static const struct bp_statement list =
    BP_STATEMENT(.name = "todos.list", .flags = BP_SQL_READ,
                 .sql = "SELECT " COLUMNS ", (SELECT count(*) FROM todos WHERE user_id = $1) FROM todos "
                        "WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3",
                 .rows = listed_columns, .row_size = sizeof(struct todo_listed));

static const struct bp_statement count =
    BP_STATEMENT(.name = "todos.count", .flags = BP_SQL_READ, .sql = "SELECT count(*) FROM todos WHERE user_id = $1",
                 .rows = count_columns, .row_size = sizeof(struct count));

static const struct bp_statement find =
    BP_STATEMENT(.name = "todos.find", .flags = BP_SQL_READ,
                 .sql = "SELECT " COLUMNS " FROM todos WHERE id = $1 AND user_id = $2", .rows = todo_fields,
                 .row_size = sizeof(struct todo));

static const struct bp_statement update =
    BP_STATEMENT(.name = "todos.update", .flags = BP_SQL_BATCHABLE,
                 .sql = "UPDATE todos SET title = coalesce($3, title), completed = coalesce($4, completed), "
                        "updated_at = max(updated_at + 1, $5) WHERE id = $1 AND user_id = $2 RETURNING " COLUMNS,
                 .sql_postgres = "UPDATE todos SET title = coalesce($3, title), completed = coalesce($4, completed), "
                                 "updated_at = greatest(updated_at + interval '1 millisecond', $5) "
                                 "WHERE id = $1 AND user_id = $2 RETURNING " COLUMNS,
                 .rows = todo_fields, .row_size = sizeof(struct todo), .tag = "todos:user:$2");

static const struct bp_statement delete =
    BP_STATEMENT(.name = "todos.delete", .flags = BP_SQL_BATCHABLE,
                 .sql = "DELETE FROM todos WHERE id = $1 AND user_id = $2", .tag = "todos:user:$2");

/* No other constraint can fail: the rows of the body have seen to that. */
static int constraint_is_error(int status)
{
    return status > 0 ? BP_ERROR : status;
}

static int first_row(const struct bp_result *result, struct todo *ret_todo)
{
    if (result->len == 0)
        return TODO_E_MISSING;
    *ret_todo = *(const struct todo *)result->rows;
    return 0;
}

int todo_create(struct bp_service db, const struct todo *todo)
{
    int status = bp_db_query(db, NULL, &create,
                             BP_VALUES(bp_db_uuid(&todo->id), bp_db_text(todo->title), bp_db_bool(todo->completed),
                                       bp_db_uuid(&todo->user_id), bp_db_date(todo->created_at)),
                             NULL, NULL);
    return status == BP_DB_FOREIGN ? TODO_E_NO_ACCOUNT : constraint_is_error(status);
}

static int count_all(struct bp_service db, const bp_uuid *user_id, struct bp_arena *arena, int64_t *ret_total)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &count, BP_VALUES(bp_db_uuid(user_id)), arena, &result);
    if (status != 0)
        return constraint_is_error(status);
    *ret_total = ((const struct count *)result.rows)->total;
    return 0;
}

int todo_list(struct bp_service db, const bp_uuid *user_id, int64_t page, int64_t limit, struct bp_arena *arena,
              struct todo_page *ret_page)
{
    struct bp_result result;
    int status =
        bp_db_query(db, NULL, &list, BP_VALUES(bp_db_uuid(user_id), bp_db_i64(limit), bp_db_i64((page - 1) * limit)),
                    arena, &result);
    if (status != 0)
        return constraint_is_error(status);
    int64_t total = 0;
    if (result.len > 0)
        total = ((const struct todo_listed *)result.rows)->total;
    else if (page > 1)
        status = count_all(db, user_id, arena, &total);
    if (status == 0)
        *ret_page = (struct todo_page){.items = {result.rows, result.len}, .total = total};
    return status;
}

int todo_find(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id, struct bp_arena *arena,
              struct todo *ret_todo)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &find, BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id)), arena, &result);
    return status != 0 ? constraint_is_error(status) : first_row(&result, ret_todo);
}

int todo_update(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id, const struct todo_change *change,
                bp_date now, struct bp_arena *arena, struct todo *ret_todo)
{
    struct bp_result result;
    int status = bp_db_query(
        db, NULL, &update,
        BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id), change->title ? bp_db_text(*change->title) : bp_db_null(),
                  change->completed ? bp_db_bool(*change->completed) : bp_db_null(), bp_db_date(now)),
        arena, &result);
    return status != 0 ? constraint_is_error(status) : first_row(&result, ret_todo);
}

int todo_delete(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &delete, BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id)), NULL, &result);
    if (status != 0)
        return constraint_is_error(status);
    return result.changes == 0 ? TODO_E_MISSING : 0;
}

int64_t todo_page_count(int64_t total, int64_t limit)
{
    return total / limit + (total % limit != 0);
}
