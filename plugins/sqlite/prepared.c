/* SPDX-License-Identifier: MIT */
/* Running a statement: prepared once per connection, values bound, rows decoded. */
#include <stdlib.h>

#include "connection.h"
#include "row.h"

#define FIRST_ROWS 16u

static struct prepared *find_cell(struct prepared *table, size_t cap, const struct bp_statement *statement)
{
    size_t i = (size_t)((uintptr_t)statement >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (cap - 1);
    while (table[i].statement && table[i].statement != statement)
        i = (i + 1) & (cap - 1);
    return &table[i];
}

/* Room for one more, at most half full. */
static bool grow(struct connection *connection)
{
    size_t cap = connection->cap ? connection->cap * 2 : 64;
    struct prepared *table;
    if (connection->len * 2 < connection->cap)
        return true;
    table = calloc(cap, sizeof(*table));
    if (!table)
        return false;
    for (size_t i = 0; i < connection->cap; i++)
        if (connection->prepared[i].statement)
            *find_cell(table, cap, connection->prepared[i].statement) = connection->prepared[i];
    free(connection->prepared);
    connection->prepared = table;
    connection->cap = cap;
    return true;
}

/* SQLite takes "$1" for a name and numbers names as they appear: which value each parameter takes must be looked up. */
static int read_parameters(struct prepared *prepared, struct failure *failure)
{
    int count = sqlite3_bind_parameter_count(prepared->stmt);
    prepared->parameters = (unsigned)count;
    prepared->order = count ? calloc((size_t)count, sizeof(*prepared->order)) : NULL;
    if (count && !prepared->order)
        return BP_NOMEM;
    for (int i = 1; i <= count; i++) {
        const char *name = sqlite3_bind_parameter_name(prepared->stmt, i);
        uint64_t number;
        if (!name || name[0] != '$' || !bp_str_to_u64(bp_str_of(name + 1), &number) || number < 1 ||
            number > UINT16_MAX) {
            failure_set(failure, 0, "the placeholder \"%s\" is not $1, $2, ...", name ? name : "?");
            return BP_ERROR;
        }
        prepared->order[i - 1] = (uint16_t)(number - 1);
        if (number > prepared->values)
            prepared->values = (unsigned)number;
    }
    return 0;
}

static int check_statement(sqlite3_stmt *stmt, const struct bp_statement *statement, const char *tail,
                           struct failure *failure)
{
    unsigned columns = (unsigned)sqlite3_column_count(stmt);
    if (!stmt || bp_str_trim(bp_str_of(tail)).len > 0) {
        failure_set(failure, 0, "not exactly one SQL statement");
        return BP_ERROR;
    }
    if (statement->rows && (bp_db_column_count(statement->rows) != columns || statement->row_size == 0)) {
        failure_set(failure, 0, "it has %u columns, its rows describe %u", columns,
                    bp_db_column_count(statement->rows));
        return BP_ERROR;
    }
    if ((statement->flags & BP_SQL_READ) && !sqlite3_stmt_readonly(stmt)) {
        failure_set(failure, 0, "it is declared BP_SQL_READ, but writes");
        return BP_ERROR;
    }
    return 0;
}

static void unprepare(struct prepared *prepared)
{
    sqlite3_finalize(prepared->stmt);
    free(prepared->order);
    *prepared = (struct prepared){0};
}

static int prepare_new(struct connection *connection, const struct bp_statement *statement,
                       struct prepared *ret_prepared, struct failure *failure)
{
    struct prepared prepared = {.statement = statement};
    const char *tail = "";
    if (sqlite3_prepare_v3(connection->db, statement->sql, -1,
                           statement->flags & BP_SQL_ONCE ? 0 : SQLITE_PREPARE_PERSISTENT, &prepared.stmt,
                           &tail) != SQLITE_OK) {
        failure_take(failure, connection->db);
        return failure_status(failure->code);
    }
    int status = check_statement(prepared.stmt, statement, tail, failure);
    if (status == 0)
        status = read_parameters(&prepared, failure);
    if (status == 0)
        *ret_prepared = prepared;
    else
        unprepare(&prepared);
    return status;
}

static int prepare(struct connection *connection, const struct bp_statement *statement, struct prepared **ret_prepared,
                   struct failure *failure)
{
    struct prepared prepared;
    struct prepared *cell;
    if (statement->flags & BP_SQL_ONCE) {
        *ret_prepared = &connection->once;
        return prepare_new(connection, statement, &connection->once, failure);
    }
    if (connection->cap) {
        cell = find_cell(connection->prepared, connection->cap, statement);
        if (cell->statement) {
            *ret_prepared = cell;
            return 0;
        }
    }
    if (!grow(connection))
        return BP_NOMEM;
    int status = prepare_new(connection, statement, &prepared, failure);
    if (status != 0)
        return status;
    cell = find_cell(connection->prepared, connection->cap, statement);
    *cell = prepared;
    connection->len++;
    *ret_prepared = cell;
    return 0;
}

static int bind(struct connection *connection, const struct prepared *prepared, const struct bp_db_value *values,
                size_t count, struct failure *failure)
{
    if (count != prepared->values) {
        failure_set(failure, 0, "it takes %u values, %zu are given", prepared->values, count);
        return BP_ERROR;
    }
    for (unsigned i = 0; i < prepared->parameters; i++) {
        int code = row_bind(prepared->stmt, (int)i + 1, &values[prepared->order[i]]);
        if (code == SQLITE_MISUSE) {
            failure_set(failure, 0, "the type of value $%u cannot be stored", prepared->order[i] + 1u);
            return BP_ERROR;
        }
        if (code != SQLITE_OK) {
            failure_take(failure, connection->db);
            return failure_status(code);
        }
    }
    return 0;
}

/* The next free struct; the array is doubled when it is full. */
static void *add_row(struct bp_arena *arena, size_t row_size, size_t *cap, struct bp_result *result)
{
    if (result->len == *cap) {
        size_t more = *cap ? *cap * 2 : FIRST_ROWS;
        char *rows = bp_arena_array(arena, more, row_size);
        if (!rows)
            return NULL;
        if (result->len > 0)
            memcpy(rows, result->rows, result->len * row_size);
        result->rows = rows;
        *cap = more;
    }
    return (char *)result->rows + result->len++ * row_size;
}

static int step_all(struct connection *connection, const struct prepared *prepared, struct bp_arena *arena,
                    struct bp_result *result, struct failure *failure)
{
    const struct bp_statement *statement = prepared->statement;
    size_t cap = 0;
    int code;
    while ((code = sqlite3_step(prepared->stmt)) == SQLITE_ROW) {
        void *object;
        int status;
        if (!statement->rows || !arena)
            continue;
        object = add_row(arena, statement->row_size, &cap, result);
        status = object ? row_decode(prepared->stmt, statement->rows, arena, object, failure) : BP_NOMEM;
        if (status != 0)
            return status;
    }
    if (code == SQLITE_DONE)
        return 0;
    failure_take(failure, connection->db);
    return failure_status(failure->code);
}

int connection_run(struct connection *connection, const struct bp_statement *statement,
                   const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result,
                   struct failure *failure)
{
    struct bp_result result = {0};
    struct prepared *prepared = NULL;
    int64_t before = sqlite3_total_changes64(connection->db);
    int status = prepare(connection, statement, &prepared, failure);
    if (status != 0)
        return status;
    status = bind(connection, prepared, values, count, failure);
    if (status == 0)
        status = step_all(connection, prepared, arena, &result, failure);
    /* The values are borrowed: forget them. */
    sqlite3_reset(prepared->stmt);
    sqlite3_clear_bindings(prepared->stmt);
    if (prepared == &connection->once)
        unprepare(prepared);
    if (status != 0)
        return status;
    /* sqlite3_changes64() keeps the number of an earlier statement when this one is no INSERT, UPDATE or DELETE. */
    if (sqlite3_total_changes64(connection->db) != before)
        result.changes = sqlite3_changes64(connection->db);
    if (ret_result)
        *ret_result = result;
    return 0;
}
