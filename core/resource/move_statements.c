/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/resource/move.h"
#include "core/resource/statements.h"
#include "core/schema/schema.h"

static const struct bp_field edge_rows[] = {BP_PRESENCE(struct move_edge_row, set, null),
                                            BP_F64(struct move_edge_row, position), BP_END};

static struct bp_field *body_rows(const struct resource *resource)
{
    const struct bp_field common[] = {
        BP_PRESENCE(struct move_body, set, null),
        BP_UUID(struct move_body, after, .flags = BP_NULLABLE,
                .doc = "What it is to stand behind; null: the beginning, unless before is given."),
        BP_UUID(struct move_body, before, .flags = BP_NULLABLE,
                .doc = "What it is to stand before; null: the end. Without both: the end."),
    };
    struct bp_field *rows = calloc(5, sizeof(*rows));
    if (!rows)
        return NULL;
    memcpy(rows, common, sizeof(common));
    for (int i = 1; i <= 2; i++)
        rows[i].invalid = resource->param_rows[0].invalid;
    if (resource->move_into >= 0) {
        rows[3] = *resource->members[resource->move_into].row;
        rows[3].offset += (uint32_t)MOVE_OBJECT;
        rows[3].flags &= (uint16_t)~BP_REQUIRED;
        rows[3].def = NULL;
    }
    return rows;
}

static void add_owner(struct sql *sql)
{
    const struct resource *resource = sql->resource;
    if (resource->owner < 0) {
        sql_add_each(sql, "1", "true");
        return;
    }
    sql_column(sql, (unsigned)resource->owner);
    sql_add(sql, " = ");
    sql_parameter(sql, SOURCE_OWNER, 0);
}

/* SQLite has one writer at a time anyway. */
static bool compile_lock(struct resource *resource, struct statement *ret_statement)
{
    struct sql sql = {.resource = resource};
    char *name = strdup("move.lock");
    sql_add_each(&sql, "SELECT 1.0",
                 "SELECT 1::double precision FROM pg_advisory_xact_lock(hashtextextended('backplane.");
    sql_add_each(&sql, "", resource->definition->table);
    sql_add_each(&sql, "", "'");
    if (resource->owner >= 0) {
        sql_add_each(&sql, " WHERE ", " || ");
        sql_parameter(&sql, SOURCE_OWNER, 0);
        sql_add_each(&sql, " IS NOT NULL", "::text");
    }
    sql_add_each(&sql, "", ", 0))");
    if (!sql_finish(&sql, name, 0, ret_statement))
        return false;
    ret_statement->statement.rows = edge_rows;
    ret_statement->statement.row_size = sizeof(struct move_edge_row);
    return true;
}

static bool compile_edge(struct resource *resource, enum move_edge edge, struct statement *ret_statement)
{
    static const char *const names[] = {"move.behind", "move.before", "move.first", "move.last"};
    struct sql sql = {.resource = resource};
    const char *position = resource->members[resource->position].row->name;
    char *name = strdup(names[edge]);
    sql_add(&sql, edge == MOVE_BEHIND || edge == MOVE_FIRST ? "SELECT min(" : "SELECT max(");
    sql_add(&sql, position);
    sql_add(&sql, ") FROM ");
    sql_add(&sql, resource->definition->table);
    sql_add(&sql, " WHERE ");
    add_owner(&sql);
    sql_add(&sql, " AND ");
    sql_column(&sql, 0);
    sql_add(&sql, " <> ");
    sql_parameter(&sql, SOURCE_ID, 0);
    if (edge == MOVE_BEHIND || edge == MOVE_BEFORE) {
        sql_add(&sql, " AND (");
        sql_add(&sql, position);
        sql_add(&sql, ", ");
        sql_column(&sql, 0);
        sql_add(&sql, edge == MOVE_BEHIND ? ") > (" : ") < (");
        sql_parameter(&sql, SOURCE_KEY, 0);
        sql_add(&sql, ", ");
        sql_parameter(&sql, SOURCE_KEY, 1);
        sql_add(&sql, ")");
    }
    if (!sql_finish(&sql, name, 0, ret_statement))
        return false;
    ret_statement->statement.rows = edge_rows;
    ret_statement->statement.row_size = sizeof(struct move_edge_row);
    return true;
}

static bool compile_place(struct resource *resource, struct statement *ret_statement)
{
    struct sql sql = {.resource = resource};
    sql_add(&sql, "UPDATE ");
    sql_add(&sql, resource->definition->table);
    sql_add(&sql, " SET ");
    sql_column(&sql, (unsigned)resource->position);
    sql_add(&sql, " = ");
    sql_parameter(&sql, SOURCE_KEY, 0);
    if (resource->move_into >= 0) {
        sql_add(&sql, ", ");
        sql_column(&sql, (unsigned)resource->move_into);
        sql_add(&sql, " = ");
        statements_updated(&sql, (unsigned)resource->move_into);
    }
    statements_touch(&sql);
    statements_where_one(&sql);
    statements_and_version(&sql);
    sql_add(&sql, " RETURNING ");
    sql_columns(&sql);
    if (!statements_finish_write(&sql, "move", 0, ret_statement))
        return false;
    statements_returning(&sql, ret_statement);
    return true;
}

static bool compile_renumber(struct resource *resource, struct statement *ret_statement)
{
    struct sql sql = {.resource = resource};
    const char *table = resource->definition->table, *position = resource->members[resource->position].row->name;
    sql_add(&sql, "UPDATE ");
    sql_add(&sql, table);
    sql_add(&sql, " SET ");
    sql_add(&sql, position);
    sql_add(&sql, " = ranked.rank * 65536.0");
    statements_touch(&sql);
    sql_add(&sql, " FROM (SELECT ");
    sql_column(&sql, 0);
    sql_add(&sql, " AS ranked_id, row_number() OVER (ORDER BY ");
    sql_add(&sql, position);
    sql_add(&sql, ", ");
    sql_column(&sql, 0);
    sql_add(&sql, ") AS rank FROM ");
    sql_add(&sql, table);
    sql_add(&sql, " WHERE ");
    add_owner(&sql);
    sql_add(&sql, ") AS ranked WHERE ");
    sql_add(&sql, table);
    sql_add(&sql, ".");
    sql_column(&sql, 0);
    sql_add(&sql, " = ranked.ranked_id");
    return statements_finish_write(&sql, "renumber", 0, ret_statement);
}

const char *move_compile(struct resource *resource)
{
    struct move_statements *move = calloc(1, sizeof(*move));
    resource->move = move;
    resource->move_rows = body_rows(resource);
    bool fine = move && resource->move_rows && compile_lock(resource, &move->lock) &&
                compile_place(resource, &move->place) && compile_renumber(resource, &move->renumber);
    for (enum move_edge edge = MOVE_BEHIND; fine && edge < MOVE_EDGES; edge++)
        fine = compile_edge(resource, edge, &move->edges[edge]);
    return !fine ? "out of memory" : schema_check(resource->move_rows);
}
