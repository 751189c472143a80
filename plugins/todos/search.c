/* SPDX-License-Identifier: MIT */
#include "search.h"

#include "backplane/status.h"

struct count {
    int64_t todos;
};
static const struct bp_field count_rows[] = {BP_I64(struct count, todos), BP_END};

/* As many at a time, so that no other writer waits for long. */
#define STALE "SELECT id FROM todos WHERE user_id = $1 AND text_stale = 1 ORDER BY id LIMIT 500"
#define STALE_POSTGRES "SELECT id FROM todos WHERE user_id = $1 AND text_stale ORDER BY id LIMIT 500"

#define DEAD "SELECT id FROM todos_text_dead ORDER BY id LIMIT 500"

static const struct bp_statement stale =
    BP_STATEMENT(.name = "todos.search_stale", .flags = BP_SQL_READ, .rows = count_rows,
                 .row_size = sizeof(struct count),
                 .sql = "SELECT (SELECT count(*) FROM (" STALE ")) + (SELECT count(*) FROM (" DEAD "))",
                 .sql_postgres = "SELECT count(*) FROM (" STALE_POSTGRES ") stale");

static const struct bp_statement bury =
    BP_STATEMENT(.name = "todos.search_bury", .sql = "DELETE FROM todos_text WHERE rowid IN (" DEAD ")");
static const struct bp_statement buried =
    BP_STATEMENT(.name = "todos.search_buried", .sql = "DELETE FROM todos_text_dead WHERE id IN (" DEAD ")");
static const struct bp_statement number =
    BP_STATEMENT(.name = "todos.search_number", .sql = "INSERT OR IGNORE INTO todos_text_ids (todo_id) " STALE);
static const struct bp_statement forget =
    BP_STATEMENT(.name = "todos.search_forget",
                 .sql = "DELETE FROM todos_text WHERE rowid IN (SELECT id FROM todos_text_ids WHERE todo_id IN (" STALE
                        "))");
static const struct bp_statement add = BP_STATEMENT(
        .name = "todos.search_add",
        .sql =
            "INSERT INTO todos_text (rowid, owner, title, description) SELECT ids.id, 'u' || lower(hex(todos.user_id)),"
            " title, coalesce(description, '') FROM todos JOIN todos_text_ids ids ON ids.todo_id = todos.id"
            " WHERE todos.id IN (" STALE ")");
static const struct bp_statement done =
    BP_STATEMENT(.name = "todos.search_done", .sql = "UPDATE todos SET text_stale = 0 WHERE id IN (" STALE ")",
                 .sql_postgres =
                     "UPDATE todos SET text_stale = false, text_words = array_to_tsvector(ARRAY['u' ||"
                     " replace(user_id::text, '-', '')]) || to_tsvector('simple', title || ' ' || coalesce(description,"
                     " '')) WHERE user_id = $1 AND text_stale AND id IN (" STALE_POSTGRES ")");

static int index_some(struct bp_service db, const bp_uuid *owner, struct bp_arena *arena)
{
    static const struct bp_statement *const steps[] = {&bury, &buried, &number, &forget, &add, &done};
    const struct bp_database_vtable *vtable = db.vtable;
    size_t count = sizeof(steps) / sizeof(*steps);
    size_t first = strcmp(vtable->system, "postgresql") == 0 ? count - 1 : 0; /* there the words are in the row */
    struct bp_tx *tx;
    int status = bp_db_begin(db, &tx);
    if (status != 0)
        return status;
    for (size_t i = first; status == 0 && i < count; i++)
        status = i < 2 ? bp_db_query(db, tx, steps[i], BP_NO_VALUES, arena, NULL)
                       : bp_db_query(db, tx, steps[i], BP_VALUES(bp_db_uuid(owner)), arena, NULL);
    if (status == 0)
        return bp_db_commit(db, tx);
    bp_db_rollback(db, tx);
    return status > 0 ? BP_ERROR : status;
}

int search_refresh(struct bp_service db, const bp_uuid *owner, struct bp_arena *arena)
{
    for (;;) {
        struct bp_result result;
        int status = bp_db_query(db, NULL, &stale, BP_VALUES(bp_db_uuid(owner)), arena, &result);
        if (status != 0)
            return status > 0 ? BP_ERROR : status;
        if (((const struct count *)result.rows)->todos == 0)
            return 0;
        status = index_some(db, owner, arena);
        if (status != 0)
            return status;
    }
}
