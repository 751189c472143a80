/* SPDX-License-Identifier: MIT */
/* "Todo" into todos. Titles are copied as they are, whatever their length. */
#include <stdlib.h>

#include "batch.h"

enum { ID, TITLE, COMPLETED, USER_ID, CREATED, UPDATED };

#define SELECT                                                                                             \
    "SELECT id::text, title, completed, \"userId\"::text, " SOURCE_DATE("\"createdAt\"") ", " SOURCE_DATE( \
        "\"updatedAt\"") " FROM \"Todo\" "

/* The old system has not noted when a todo was done: at its last change, as the migrations of this one's own todos say; nor an order:
 * that in which they were made. Without its account nothing is inserted: a violated foreign key would undo the whole batch. */
static const struct bp_statement insert = BP_STATEMENT(
        .name = "import.todo",
        .sql = "INSERT INTO todos (id, title, completed, user_id, created_at, updated_at, completed_at, position) "
               "SELECT $1, $2, $3, $4, $5, $6, CASE WHEN $3 THEN $6 END, $5 "
               "WHERE EXISTS (SELECT 1 FROM users WHERE id = $4) ON CONFLICT DO NOTHING",
        .sql_postgres =
            "INSERT INTO todos (id, title, completed, user_id, created_at, updated_at, completed_at, position) "
            "SELECT $1::uuid, $2::text, $3::boolean, $4::uuid, $5::timestamptz, $6::timestamptz, "
            "CASE WHEN $3::boolean THEN $6::timestamptz END, extract(epoch FROM $5::timestamptz) * 1000 "
            "WHERE EXISTS (SELECT 1 FROM users WHERE id = $4::uuid) ON CONFLICT DO NOTHING");

static const struct bp_statement find =
    BP_STATEMENT(.name = "import.find_todo", .flags = BP_SQL_READ, .sql = "SELECT count(*) FROM todos WHERE id = $1",
                 .rows = number_columns, .row_size = sizeof(struct number));

static const struct bp_statement count =
    BP_STATEMENT(.name = "import.count_todos", .flags = BP_SQL_READ, .sql = "SELECT count(*) FROM todos",
                 .rows = number_columns, .row_size = sizeof(struct number));

static int skip(const struct import *import, const PGresult *rows, int row, const char *reason)
{
    row_skipped(import, "todo", PQgetvalue(rows, row, ID), PQgetvalue(rows, row, USER_ID), reason);
    return 0;
}

static int copy(const struct import *import, struct bp_tx *tx, const PGresult *rows, int row, struct bp_arena *arena,
                enum outcome *ret_outcome)
{
    struct bp_result result;
    int64_t found = 0;
    bp_uuid id, user_id;
    *ret_outcome = OUTCOME_SKIPPED;
    if (!bp_uuid_parse(bp_str_of(PQgetvalue(rows, row, ID)), &id))
        return skip(import, rows, row, "its id is no UUID");
    if (!bp_uuid_parse(bp_str_of(PQgetvalue(rows, row, USER_ID)), &user_id))
        return skip(import, rows, row, "the id of its account is no UUID");
    int status = bp_db_query(import->db, tx, &insert,
                             BP_VALUES(bp_db_uuid(&id), bp_db_text(bp_str_of(PQgetvalue(rows, row, TITLE))),
                                       bp_db_bool(PQgetvalue(rows, row, COMPLETED)[0] == 't'), bp_db_uuid(&user_id),
                                       bp_db_date(strtoll(PQgetvalue(rows, row, CREATED), NULL, 10)),
                                       bp_db_date(strtoll(PQgetvalue(rows, row, UPDATED), NULL, 10))),
                             NULL, &result);
    if (status == 0 && result.changes == 0)
        status = ask_number(import, tx, &find, BP_VALUES(bp_db_uuid(&id)), arena, &found);
    if (status != 0)
        return status;
    if (result.changes > 0)
        *ret_outcome = OUTCOME_COPIED;
    else if (found > 0)
        *ret_outcome = OUTCOME_PRESENT;
    else
        return skip(import, rows, row, "its account is not there");
    return 0;
}

const struct table todos_table = {.noun = "todos",
                                  .first = SELECT "ORDER BY id LIMIT " BATCH_ROWS,
                                  .next = SELECT "WHERE id > $1 ORDER BY id LIMIT " BATCH_ROWS,
                                  .count_old = "SELECT count(*) FROM \"Todo\"",
                                  .count_new = &count,
                                  .copy = copy};
