/* SPDX-License-Identifier: MIT */
#include "core/resource/statements.h"

#include <stdio.h>
#include <stdlib.h>

static char *name_of(const struct resource *resource, const char *verb)
{
    char *name;
    return asprintf(&name, "%s.%s", resource->definition->plural, verb) < 0 ? NULL : name;
}

static bool is(int special, unsigned member)
{
    return special >= 0 && (unsigned)special == member;
}

/* What an insert stores: the value that was given, or the zero of the type. */
static void inserted(struct sql *sql, unsigned member)
{
    const struct resource *resource = sql->resource;
    const struct member *m = &resource->members[member];
    if (member == 0)
        sql_parameter(sql, SOURCE_ID, 0);
    else if (is(resource->owner, member))
        sql_parameter(sql, SOURCE_OWNER, 0);
    else if (is(resource->created, member) || is(resource->updated, member))
        sql_parameter(sql, SOURCE_NOW, 0);
    else if (is(resource->version, member))
        sql_add(sql, "1");
    else if (is(resource->position, member)) {
        sql_add_each(sql, "CAST(", "(extract(epoch FROM ");
        sql_parameter(sql, SOURCE_NOW, 0);
        sql_add_each(sql, " AS REAL)", "::timestamptz) * 1000)::double precision");
    } else if (m->computed && m->computed->insert)
        sql_expand(sql, m->computed->insert, m->computed->insert_postgres, inserted, 0);
    else
        sql_value(sql, member);
}

void statements_updated(struct sql *sql, unsigned member)
{
    if (!sql->resource->members[member].writable) {
        sql_column(sql, member);
        return;
    }
    sql_add(sql, "CASE WHEN ");
    sql_parameter(sql, SOURCE_GIVEN, member);
    sql_add(sql, " THEN ");
    sql_value(sql, member);
    sql_add(sql, " ELSE ");
    sql_column(sql, member);
    sql_add(sql, " END");
}

void statements_where_one(struct sql *sql)
{
    sql_add(sql, " WHERE ");
    sql_column(sql, 0);
    sql_add(sql, " = ");
    sql_parameter(sql, SOURCE_ID, 0);
    if (sql->resource->owner >= 0) {
        sql_add(sql, " AND ");
        sql_column(sql, (unsigned)sql->resource->owner);
        sql_add(sql, " = ");
        sql_parameter(sql, SOURCE_OWNER, 0);
    }
}

void statements_and_version(struct sql *sql)
{
    if (sql->resource->version < 0)
        return;
    sql_add(sql, " AND (");
    sql_parameter(sql, SOURCE_IF_VERSION, 0);
    sql_add_each(sql, " IS NULL OR ", "::bigint IS NULL OR ");
    sql_column(sql, (unsigned)sql->resource->version);
    sql_add(sql, " = ");
    sql_parameter(sql, SOURCE_IF_VERSION, 0);
    sql_add(sql, ")");
}

void statements_returning(struct sql *sql, struct statement *statement)
{
    const struct resource *resource = sql->resource;
    statement->statement.rows = resource->definition->fields;
    statement->statement.row_size = resource->definition->object_size;
}

/* "todos:user:$2": the owner's parameter. NULL: out of memory. */
static const char *write_tag(const struct resource *resource, const struct statement *statement)
{
    char *tag;
    unsigned owner = 0;
    while (owner < statement->count && statement->parameters[owner].source != SOURCE_OWNER)
        owner++;
    int len = resource->owner < 0 ? asprintf(&tag, "%s", resource->definition->plural)
                                  : asprintf(&tag, "%s:user:$%u", resource->definition->plural, owner + 1);
    return len < 0 ? NULL : tag;
}

bool statements_finish_write(struct sql *sql, const char *verb, uint32_t flags, struct statement *ret_statement)
{
    if (!sql_finish(sql, name_of(sql->resource, verb), flags, ret_statement))
        return false;
    ret_statement->statement.tag = write_tag(sql->resource, ret_statement);
    return ret_statement->statement.tag != NULL;
}

/* Counts no further than it must. */
static void below_row_max(struct sql *sql)
{
    const struct resource *resource = sql->resource;
    char text[80];
    sql_add(sql, " WHERE (SELECT count(*) FROM (SELECT 1 FROM ");
    sql_add(sql, resource->definition->table);
    if (resource->owner >= 0) {
        sql_add(sql, " WHERE ");
        sql_column(sql, (unsigned)resource->owner);
        sql_add(sql, " = ");
        sql_parameter(sql, SOURCE_OWNER, 0);
    }
    snprintf(text, sizeof(text), " LIMIT %u) AS counted) < %u", resource->definition->row_max,
             resource->definition->row_max);
    sql_add(sql, text);
}

static bool compile_insert(struct resource *resource)
{
    struct sql sql = {.resource = resource};
    sql_add(&sql, "INSERT INTO ");
    sql_add(&sql, resource->definition->table);
    sql_add(&sql, " (");
    sql_columns(&sql);
    sql_add(&sql, resource->definition->row_max ? ") SELECT " : ") VALUES (");
    for (unsigned i = 0; i < resource->count; i++) {
        sql_add(&sql, i ? ", " : "");
        inserted(&sql, i);
    }
    if (resource->definition->row_max)
        below_row_max(&sql);
    sql_add(&sql, resource->definition->row_max ? " ON CONFLICT (" : ") ON CONFLICT (");
    sql_column(&sql, 0);
    sql_add(&sql, ") DO NOTHING");
    if (resource->reads_back) {
        sql_add(&sql, " RETURNING ");
        sql_columns(&sql);
    }
    if (!statements_finish_write(&sql, "create", BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT, &resource->insert))
        return false;
    if (resource->reads_back)
        statements_returning(&sql, &resource->insert);
    return true;
}

static bool compile_find(struct resource *resource)
{
    struct sql sql = {.resource = resource};
    sql_add(&sql, "SELECT ");
    sql_columns(&sql);
    sql_add(&sql, " FROM ");
    sql_add(&sql, resource->definition->table);
    statements_where_one(&sql);
    bool fine = sql_finish(&sql, name_of(resource, "find"), BP_SQL_READ, &resource->find);
    statements_returning(&sql, &resource->find);
    return fine;
}

void statements_touch(struct sql *sql)
{
    const struct resource *resource = sql->resource;
    if (resource->version >= 0) {
        sql_add(sql, ", ");
        sql_column(sql, (unsigned)resource->version);
        sql_add(sql, " = ");
        sql_column(sql, (unsigned)resource->version);
        sql_add(sql, " + 1");
    }
    if (resource->updated >= 0) { /* always grows, whatever the clock does */
        sql_add(sql, ", ");
        sql_column(sql, (unsigned)resource->updated);
        sql_add_each(sql, " = max(", " = greatest(");
        sql_column(sql, (unsigned)resource->updated);
        sql_add_each(sql, " + 1, ", " + interval '1 millisecond', ");
        sql_parameter(sql, SOURCE_NOW, 0);
        sql_add(sql, ")");
    }
}

static void add_assignments(struct sql *sql)
{
    const struct resource *resource = sql->resource;
    bool first = true;
    for (unsigned i = 0; i < resource->count; i++) {
        const struct member *member = &resource->members[i];
        bool computed = member->computed && member->computed->update;
        if (!member->writable && !computed)
            continue;
        sql_add(sql, first ? "" : ", ");
        first = false;
        sql_column(sql, i);
        sql_add(sql, " = ");
        if (computed) {
            sql_expand(sql, member->computed->update, member->computed->update_postgres, statements_updated, 0);
        } else {
            statements_updated(sql, i);
        }
    }
    if (first) { /* SET must not be empty */
        sql_column(sql, 0);
        sql_add(sql, " = ");
        sql_column(sql, 0);
    }
    for (const struct bp_resource_computed *c = resource->definition->computed; c && c->size; c++) {
        bool shown = false;
        for (unsigned i = 0; i < resource->count; i++)
            shown = shown || resource->members[i].computed == c;
        if (shown)
            continue;
        sql_add(sql, ", ");
        sql_add(sql, c->member);
        sql_add(sql, " = ");
        sql_expand(sql, c->update, c->update_postgres, statements_updated, 0);
    }
    statements_touch(sql);
}

static bool compile_update(struct resource *resource)
{
    struct sql sql = {.resource = resource};
    sql_add(&sql, "UPDATE ");
    sql_add(&sql, resource->definition->table);
    sql_add(&sql, " SET ");
    add_assignments(&sql);
    statements_where_one(&sql);
    statements_and_version(&sql);
    sql_add(&sql, " RETURNING ");
    sql_columns(&sql);
    if (!statements_finish_write(&sql, "update", BP_SQL_BATCHABLE, &resource->update))
        return false;
    statements_returning(&sql, &resource->update);
    return true;
}

static bool compile_remove(struct resource *resource)
{
    struct sql sql = {.resource = resource};
    sql_add(&sql, "DELETE FROM ");
    sql_add(&sql, resource->definition->table);
    statements_where_one(&sql);
    statements_and_version(&sql);
    return statements_finish_write(&sql, "delete", BP_SQL_BATCHABLE, &resource->remove);
}

const char *statements_compile(struct resource *resource)
{
    return compile_insert(resource) && compile_find(resource) && compile_update(resource) && compile_remove(resource)
               ? NULL
               : "it needs too many parameters, or memory ran out";
}
