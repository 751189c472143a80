/* SPDX-License-Identifier: MIT */
/* A statement for each combination of filters, sort and paging that is asked for; the first ones are remembered. */
#include <stdio.h>
#include <stdlib.h>

#include "core/resource/list.h"

/* More combinations than a program asks for; clients that make up more get theirs made anew. */
#define REMEMBERED_MAX 64

/* What makes one list's statement another than another's. */
struct signature {
    uint64_t filters;        /* indexes */
    uint8_t sort[SORT_KEYS]; /* member, and 128 when descending */
    uint8_t sort_count, by_cursor, total, spare;
};

struct list_statement {
    struct list_statement *next;
    struct signature signature;
    struct statement statement;
};

/* What stands for NULL, so that every row has a place in the order. */
static const struct {
    uint16_t type;
    const char *sqlite, *postgres;
} nulls[] = {
    {BP_TYPE_BOOL, "0", "false"},
    {BP_TYPE_TEXT, "''", "''"},
    {BP_TYPE_CHOICE, "''", "''"},
    {BP_TYPE_UUID, "zeroblob(16)", "'00000000-0000-0000-0000-000000000000'::uuid"},
    {BP_TYPE_DATE, "253402300799999", "'9999-12-31 23:59:59.999+00'::timestamptz"},
    {BP_TYPE_F64, "1e300", "1e300"},
};
#define NULL_DATE INT64_C(253402300799999)
#define NULL_NUMBER 1e300
#define NULL_INTEGER INT64_MAX

static void add_key(struct sql *sql, unsigned member)
{
    const struct bp_field *row = sql->resource->members[member].row;
    bool text = row->type == BP_TYPE_TEXT || row->type == BP_TYPE_CHOICE;
    const char *sqlite = "9223372036854775807", *postgres = sqlite;
    for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
        if (nulls[i].type == row->type) {
            sqlite = nulls[i].sqlite;
            postgres = nulls[i].postgres;
        }
    if (row->flags & BP_NULLABLE) {
        sql_add(sql, "coalesce(");
        sql_column(sql, member);
        sql_add(sql, ", ");
        sql_add_each(sql, sqlite, postgres);
        sql_add(sql, ")");
    } else {
        sql_column(sql, member);
    }
    if (text)
        sql_add_each(sql, "", " COLLATE \"C\""); /* the order of bytes, as SQLite's */
}

uint32_t list_key_type(const struct resource *resource, unsigned member)
{
    switch (resource->members[member].row->type) {
    case BP_TYPE_CHOICE:
        return BP_TYPE_TEXT;
    case BP_TYPE_U32:
    case BP_TYPE_SPAN:
    case BP_TYPE_SIZE:
        return BP_TYPE_I64;
    default:
        return resource->members[member].row->type;
    }
}

bool list_key(const struct resource *resource, unsigned member, void *object, struct bp_arena *arena,
              struct bp_db_value *ret_value)
{
    if (!(*object_null(resource, object) & UINT64_C(1) << member))
        return sql_value_of(resource->members[member].row, object, arena, ret_value);
    *ret_value = bp_db_null();
    ret_value->type = list_key_type(resource, member);
    if (ret_value->type == BP_TYPE_TEXT)
        ret_value->as.text = BP_STR("");
    else if (ret_value->type == BP_TYPE_DATE)
        ret_value->as.integer = NULL_DATE;
    else if (ret_value->type == BP_TYPE_F64)
        ret_value->as.number = NULL_NUMBER;
    else if (ret_value->type == BP_TYPE_I64)
        ret_value->as.integer = NULL_INTEGER;
    return true;
}

static void add_filter(struct sql *sql, const struct filter *filter, unsigned index)
{
    static const char *const operators[] = {" = ", " > ", " >= ", " < ", " <= "};
    const struct bp_resource *definition = sql->resource->definition;
    sql_add(sql, " AND ");
    if (filter->operator== FILTER_CUSTOM) {
        sql_add(sql, "(");
        sql_expand(sql, filter->custom ? filter->custom->sql : definition->search,
                   filter->custom ? filter->custom->sql_postgres : definition->search_postgres, NULL, index);
        sql_add(sql, ")");
    } else if (filter->operator== FILTER_NULL) {
        sql_add(sql, "(");
        sql_column(sql, filter->member);
        sql_add(sql, " IS NULL) = ");
        sql_parameter(sql, SOURCE_FILTER, index);
    } else {
        sql_column(sql, filter->member);
        sql_add(sql, operators[filter->operator]);
        sql_parameter(sql, SOURCE_FILTER, index);
    }
}

static void add_where(struct sql *sql, const struct list_request *list)
{
    sql_add(sql, " WHERE ");
    if (list->owner) {
        sql_column(sql, (unsigned)sql->resource->owner);
        sql_add(sql, " = ");
        sql_parameter(sql, SOURCE_OWNER, 0);
    } else {
        sql_add_each(sql, "1", "true");
    }
    for (unsigned i = 0; i < list->filter_count; i++)
        add_filter(sql, list->filters[i], i);
}

/* The identifier decides between equals, in the direction of the last key. */
static struct sort_key key_at(const struct list_request *list, unsigned i)
{
    if (i < list->sort_count)
        return list->sort[i];
    return (struct sort_key){0, list->sort_count > 0 && list->sort[list->sort_count - 1].descending};
}

static void compare(struct sql *sql, const struct list_request *list, unsigned i, const char *operator)
{
    add_key(sql, key_at(list, i).member);
    sql_add(sql, operator);
    sql_parameter(sql, SOURCE_KEY, i);
}

/* Rows behind the cursor. With one direction a comparison of rows, which both databases use an index for. */
static void add_behind(struct sql *sql, const struct list_request *list)
{
    bool uniform = true;
    for (unsigned i = 0; i < list->sort_count; i++)
        uniform = uniform && list->sort[i].descending == list->sort[0].descending;
    sql_add(sql, " AND (");
    for (unsigned i = 0; uniform && i <= list->sort_count; i++) {
        sql_add(sql, i ? ", " : "(");
        add_key(sql, key_at(list, i).member);
    }
    if (uniform) {
        sql_add(sql, key_at(list, 0).descending ? ") < (" : ") > (");
        for (unsigned i = 0; i <= list->sort_count; i++) {
            sql_add(sql, i ? ", " : "");
            sql_parameter(sql, SOURCE_KEY, i);
        }
        sql_add(sql, ")");
    }
    for (unsigned last = 0; !uniform && last <= list->sort_count; last++) {
        sql_add(sql, last ? " OR (" : "(");
        for (unsigned i = 0; i < last; i++) {
            compare(sql, list, i, " = ");
            sql_add(sql, " AND ");
        }
        compare(sql, list, last, key_at(list, last).descending ? " < " : " > ");
        sql_add(sql, ")");
    }
    sql_add(sql, ")");
}

static void add_order(struct sql *sql, const struct list_request *list)
{
    for (unsigned i = 0; i <= list->sort_count; i++) {
        sql_add(sql, i ? ", " : " ORDER BY ");
        add_key(sql, key_at(list, i).member);
        sql_add(sql, key_at(list, i).descending ? " DESC" : "");
    }
}

static bool build(struct resource *resource, const struct list_request *list, uint32_t flags,
                  struct statement *ret_statement)
{
    struct sql sql = {.resource = resource};
    char *name = NULL;
    sql_add(&sql, "SELECT ");
    sql_columns(&sql);
    if (list->total) { /* of the same moment as the page */
        sql_add(&sql, ", (SELECT count(*) FROM ");
        sql_add(&sql, resource->definition->table);
        add_where(&sql, list);
        sql_add(&sql, ")");
    }
    sql_add(&sql, " FROM ");
    sql_add(&sql, resource->definition->table);
    add_where(&sql, list);
    if (list->by_cursor)
        add_behind(&sql, list);
    add_order(&sql, list);
    sql_add(&sql, " LIMIT ");
    sql_parameter(&sql, SOURCE_LIMIT, 0);
    if (!list->by_cursor) {
        sql_add(&sql, " OFFSET ");
        sql_parameter(&sql, SOURCE_OFFSET, 0);
    }
    if (asprintf(&name, "%s.list", resource->definition->plural) < 0)
        name = NULL;
    if (!sql_finish(&sql, name, flags, ret_statement))
        return false;
    ret_statement->statement.rows = list->total ? resource->listed_rows : resource->definition->fields;
    ret_statement->statement.row_size = resource->listed_size;
    return true;
}

static struct signature signature_of(const struct resource *resource, const struct list_request *list)
{
    struct signature signature;
    memset(&signature, 0, sizeof(signature)); /* compared as bytes */
    for (unsigned i = 0; i < list->filter_count; i++)
        signature.filters |= UINT64_C(1) << (list->filters[i] - resource->filters);
    for (unsigned i = 0; i < list->sort_count; i++)
        signature.sort[i] = (uint8_t)(list->sort[i].member | (list->sort[i].descending ? 128 : 0));
    signature.sort_count = (uint8_t)list->sort_count;
    signature.by_cursor = list->by_cursor;
    signature.total = list->total;
    return signature;
}

struct statement *list_statement(struct resource *resource, const struct list_request *list, bool *ret_once)
{
    struct signature signature = signature_of(resource, list);
    bool once = resource->list_count >= REMEMBERED_MAX;
    for (struct list_statement *made = resource->lists; made; made = made->next)
        if (memcmp(&made->signature, &signature, sizeof(signature)) == 0) {
            *ret_once = false;
            return &made->statement;
        }
    struct list_statement *made = calloc(1, sizeof(*made));
    if (!made || !build(resource, list, BP_SQL_READ | (once ? BP_SQL_ONCE : 0), &made->statement)) {
        free(made);
        return NULL;
    }
    *ret_once = once;
    if (once)
        return &made->statement;
    made->signature = signature;
    made->next = resource->lists;
    resource->lists = made;
    resource->list_count++;
    return &made->statement;
}

void list_statement_free(struct statement *statement)
{
    struct list_statement *made =
        (struct list_statement *)(void *)((char *)statement - offsetof(struct list_statement, statement));
    statement_free(statement);
    free(made);
}
