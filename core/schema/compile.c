/* SPDX-License-Identifier: MIT */
/* Tables and rows are compiled once per process and never freed: rows are static data of the core or of plugins, which are never unloaded. */
#include "core/schema/address_map.h"
#include "core/schema/table.h"
#include "core/schema/value.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct address_map tables, columns;

static uint32_t scalar_size(unsigned type)
{
    static const uint8_t sizes[] = {
        [BP_TYPE_BOOL] = sizeof(bool),
        [BP_TYPE_U32] = sizeof(uint32_t),
        [BP_TYPE_I64] = sizeof(int64_t),
        [BP_TYPE_F64] = sizeof(double),
        [BP_TYPE_TEXT] = sizeof(bp_str),
        [BP_TYPE_CHOICE] = sizeof(uint32_t),
        [BP_TYPE_SPAN] = sizeof(bp_span),
        [BP_TYPE_SIZE] = sizeof(uint64_t),
        [BP_TYPE_UUID] = sizeof(bp_uuid),
        [BP_TYPE_DATE] = sizeof(bp_date),
        [BP_TYPE_ARRAY] = 0,
    };
    return type < sizeof(sizes) ? sizes[type] : 0;
}

static void set_bounds(struct column *column)
{
    const struct bp_field *row = column->row;
    bool bounded = row->min != 0 || row->max != 0;
    bool signed_type = row->type == BP_TYPE_I64 || row->type == BP_TYPE_F64 || row->type == BP_TYPE_DATE;
    column->low = bounded ? row->min : signed_type ? INT64_MIN : 0;
    column->high = bounded && (row->max != 0 || row->min < 0) ? row->max : INT64_MAX;
    if (row->type == BP_TYPE_U32 && column->high > UINT32_MAX)
        column->high = UINT32_MAX;
    if (!signed_type && column->low < 0)
        column->low = 0;
}

/* ,"createdAt": */
static bp_str make_key(bp_str json)
{
    struct buffer out = {0};
    bp_str key = {0};
    buffer_add_char(&out, ',');
    schema_encode_text(json, &out);
    buffer_add_char(&out, ':');
    if (!out.failed) {
        char *text = calloc(1, out.len + SCHEMA_SLACK);
        if (text) {
            memcpy(text, out.ptr, out.len);
            key = bp_str_n(text, out.len);
        }
    }
    buffer_deinit(&out);
    return key;
}

static void column_deinit(struct column *column)
{
    free((void *)(uintptr_t)column->key.ptr);
    if (!column->row)
        return;
    if (!column->row->json)
        free((void *)(uintptr_t)column->json.ptr);
    if (!column->row->label && column->row->name[0])
        free((void *)(uintptr_t)column->label.ptr);
}

static bool column_init(struct column *column, const struct bp_field *row)
{
    *column = (struct column){.row = row,
                              .type = row->type <= BP_TYPE_ARRAY ? row->type : BP_TYPE_END,
                              .flags = row->flags,
                              .offset = row->offset,
                              .size = scalar_size(row->type)};
    set_bounds(column);
    column->json = row->json ? bp_str_of(row->json) : name_camel(row->name);
    if (!column->json.ptr)
        return false;
    column->label = row->label     ? bp_str_of(row->label)
                    : row->name[0] ? name_label(column->json)
                                   : BP_STR("Item"); /* of an array of bare values */
    column->key = make_key(column->json);
    return column->label.ptr && column->key.ptr;
}

/* What is wrong with a row by itself; NULL: nothing. Sets its default. */
static const char *column_check(struct column *column)
{
    const struct bp_field *row = column->row;
    bool nested = row->type == BP_TYPE_OBJECT || row->type == BP_TYPE_ARRAY;
    if (row->type > BP_TYPE_ARRAY || (column->size == 0 && !nested))
        return "has an unknown type";
    if (row->type == BP_TYPE_CHOICE && (!row->choices || !row->choices[0]))
        return "has no choices";
    if (nested && !row->sub)
        return "has no sub-table";
    if (row->type == BP_TYPE_ARRAY && row->item_size == 0)
        return "has no item size";
    if (column->low > column->high)
        return "has a minimum above its maximum";
    if (!row->def)
        return NULL;
    if (nested)
        return "has a default, which objects and arrays cannot have";
    if (row->flags & BP_REQUIRED)
        return "is required and has a default";
    if (row->type == BP_TYPE_TEXT) {
        column->initial.text = bp_str_of(row->def);
        size_t length = text_length(column->initial.text);
        if (length == SIZE_MAX || (int64_t)length < column->low || (int64_t)length > column->high)
            return "has a default that is too short, too long or no UTF-8";
    } else if (value_parse(column, bp_str_of(row->def), &column->initial) != VALUE_FINE) {
        return "has a default that is no legal value";
    }
    column->has_default = true;
    return NULL;
}

static void set_error(struct table *table, const char *name, const char *what)
{
    char *text = NULL;
    if (table->error)
        return;
    if (asprintf(&text, "row \"%s\" %s", name ? name : "", what) < 0)
        text = NULL;
    table->error = text ? text : what;
}

static bool same_json(const struct table *table, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (bp_str_eq(table->columns[i].json, table->columns[j].json))
            return true;
    return false;
}

static bool compile_column(struct table *table, uint32_t i, const struct bp_field *row)
{
    struct column *column = &table->columns[i];
    const char *error;
    if (!row->name || row->type == BP_TYPE_PRESENCE) {
        set_error(table, row->name, row->name ? "comes after the first" : "has no name");
        table->count = i;
        return true;
    }
    if (!column_init(column, row))
        return false;
    error = column_check(column);
    if (error)
        set_error(table, row->name, error);
    if (row->name[0] == '\0' && (table->presence || i > 0))
        set_error(table, row->name, "is nameless, which only the single row of an array's values may be");
    if (same_json(table, i))
        set_error(table, row->name, "has the JSON name of an earlier row");
    return true;
}

static struct table *table_free(struct table *table)
{
    for (uint32_t i = 0; table && i < table->count; i++)
        column_deinit(&table->columns[i]);
    free(table);
    return NULL;
}

static struct table *compile(const struct bp_field *rows)
{
    bool presence = rows[0].type == BP_TYPE_PRESENCE;
    const struct bp_field *first = rows + presence;
    uint32_t count = 0;
    struct table *table;
    while (first[count].type != BP_TYPE_END)
        count++;
    table = calloc(1, sizeof(*table) + count * sizeof(table->columns[0]));
    if (!table)
        return NULL;
    table->rows = rows;
    table->presence = presence;
    table->count = count;
    if (presence) {
        table->set_offset = rows[0].offset;
        table->null_offset = rows[0].item_size;
    }
    for (uint32_t i = 0; i < table->count; i++)
        if (!compile_column(table, i, &first[i]))
            return table_free(table);
    table->bare = table->count == 1 && table->columns[0].row->name[0] == '\0';
    if (presence && table->count > 64)
        set_error(table, first[64].name, "is the 65th of a table with BP_PRESENCE, which has 64 bits");
    return table;
}

const struct table *table_of(const struct bp_field *rows)
{
    const struct table *table = address_map_get(&tables, rows);
    if (table)
        return table;
    pthread_mutex_lock(&lock);
    table = address_map_get(&tables, rows);
    if (!table) {
        struct table *made = compile(rows);
        if (made && !address_map_put(&tables, rows, made))
            made = table_free(made);
        table = made;
    }
    pthread_mutex_unlock(&lock);
    return table;
}

const struct column *column_of(const struct bp_field *row)
{
    const struct column *column = address_map_get(&columns, row);
    if (column)
        return column;
    pthread_mutex_lock(&lock);
    column = address_map_get(&columns, row);
    if (!column) {
        struct column *made = calloc(1, sizeof(*made));
        if (made && (!column_init(made, row) || (column_check(made), !address_map_put(&columns, row, made)))) {
            column_deinit(made);
            free(made);
            made = NULL;
        }
        column = made;
    }
    pthread_mutex_unlock(&lock);
    return column;
}

static const char *check_nested(const struct bp_field *rows, unsigned depth)
{
    const struct table *table = table_of(rows);
    if (!table)
        return "out of memory";
    if (table->error)
        return table->error;
    for (uint32_t i = 0; i < table->count && depth < 16; i++) { /* a table may hold arrays of itself */
        const struct bp_field *row = table->columns[i].row;
        const char *error = row->sub ? check_nested(row->sub, depth + 1) : NULL;
        if (error)
            return error;
        if (row->type == BP_TYPE_OBJECT && table_of(row->sub) && table_of(row->sub)->bare)
            return "an object's sub-table has a nameless row";
    }
    return NULL;
}

const char *schema_check(const struct bp_field *rows)
{
    return check_nested(rows, 0);
}

const char *bp_rows_check(const struct bp_field *rows)
{
    return schema_check(rows);
}

bp_str bp_field_name(const struct bp_field *row)
{
    return schema_json_name(row);
}

bp_str schema_json_name(const struct bp_field *row)
{
    const struct column *column = column_of(row);
    return column ? column->json : bp_str_of(row->json ? row->json : row->name);
}
