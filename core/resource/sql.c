/* SPDX-License-Identifier: MIT */
#include "core/resource/sql.h"

#include <stdlib.h>

#include "core/resource/resource.h"
#include "core/schema/schema.h"

void sql_add_each(struct sql *sql, const char *sqlite, const char *postgres)
{
    buffer_add(&sql->text[SQLITE], bp_str_of(sqlite));
    buffer_add(&sql->text[POSTGRES], bp_str_of(postgres));
}

void sql_add(struct sql *sql, const char *text)
{
    sql_add_each(sql, text, text);
}

static unsigned number_of(struct sql *sql, enum source source, unsigned index)
{
    unsigned n = 0;
    while (n < sql->count && (sql->parameters[n].source != source || sql->parameters[n].index != index))
        n++;
    if (n == PARAMETERS_MAX)
        sql->overflow = true;
    else if (n == sql->count)
        sql->parameters[sql->count++] = (struct parameter){(uint8_t)source, (uint8_t)index};
    return n + 1;
}

void sql_parameter(struct sql *sql, enum source source, unsigned index)
{
    unsigned number = number_of(sql, source, index);
    for (int dialect = 0; dialect < DIALECTS; dialect++)
        buffer_printf(&sql->text[dialect], "$%u", number);
}

static bool is_json(const struct bp_field *row)
{
    return row->type == BP_TYPE_ARRAY || row->type == BP_TYPE_OBJECT;
}

void sql_value(struct sql *sql, unsigned member)
{
    sql_parameter(sql, SOURCE_VALUE, member);
    if (is_json(sql->resource->members[member].row))
        sql_add_each(sql, "", "::jsonb");
}

void sql_column(struct sql *sql, unsigned member)
{
    sql_add(sql, "\""); /* a member may be called as a word of SQL */
    sql_add(sql, sql->resource->members[member].row->name);
    sql_add(sql, "\"");
}

void sql_columns(struct sql *sql)
{
    for (unsigned i = 0; i < sql->resource->count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_column(sql, i);
    }
}

/* The text of one dialect only: what the callee appends to the other is taken back. */
static void expand_one(struct sql *sql, enum dialect dialect, const char *text,
                       void (*value)(struct sql *sql, unsigned member), unsigned filter)
{
    struct buffer *out = &sql->text[dialect], *other = &sql->text[!dialect];
    for (const char *open = strchr(text, '{'); open; open = strchr(text, '{')) {
        const char *close = strchr(open, '}');
        bp_str name = bp_str_n(open + 1, close ? (size_t)(close - open - 1) : strlen(open + 1));
        size_t kept = other->len;
        buffer_add(out, bp_str_n(text, (size_t)(open - text)));
        if (bp_str_is(name, "now"))
            sql_parameter(sql, SOURCE_NOW, 0);
        else if (bp_str_is(name, "owner"))
            sql_parameter(sql, SOURCE_OWNER, 0);
        else if (bp_str_is(name, "value"))
            sql_parameter(sql, SOURCE_FILTER, filter);
        for (unsigned i = 0; value && i < sql->resource->count; i++)
            if (bp_str_is(name, sql->resource->members[i].row->name))
                value(sql, i);
        other->len = kept;
        text = close ? close + 1 : open + strlen(open);
    }
    buffer_add(out, bp_str_of(text));
}

void sql_expand(struct sql *sql, const char *sqlite, const char *postgres,
                void (*value)(struct sql *sql, unsigned member), unsigned filter)
{
    expand_one(sql, SQLITE, sqlite, value, filter);
    expand_one(sql, POSTGRES, postgres ? postgres : sqlite, value, filter);
}

bool sql_finish(struct sql *sql, char *name, uint32_t flags, struct statement *ret_statement)
{
    buffer_add_char(&sql->text[SQLITE], '\0');
    buffer_add_char(&sql->text[POSTGRES], '\0');
    struct parameter *parameters = calloc(sql->count + 1, sizeof(*parameters));
    if (sql->overflow || sql->text[SQLITE].failed || sql->text[POSTGRES].failed || !name || !parameters) {
        buffer_deinit(&sql->text[SQLITE]);
        buffer_deinit(&sql->text[POSTGRES]);
        free(parameters);
        free(name);
        return false;
    }
    memcpy(parameters, sql->parameters, sql->count * sizeof(*parameters));
    *ret_statement = (struct statement){.statement = {.size = sizeof(struct bp_statement),
                                                      .flags = flags,
                                                      .name = name,
                                                      .sql = sql->text[SQLITE].ptr,
                                                      .sql_postgres = sql->text[POSTGRES].ptr},
                                        .parameters = parameters,
                                        .count = sql->count};
    return true;
}

void statement_free(struct statement *statement)
{
    free((void *)(uintptr_t)statement->statement.name);
    free((void *)(uintptr_t)statement->statement.sql);
    free((void *)(uintptr_t)statement->statement.sql_postgres);
    free((void *)(uintptr_t)statement->statement.tag);
    free(statement->parameters);
    *statement = (struct statement){0};
}

static bool json_value(const struct bp_field *row, const void *object, struct bp_arena *arena, bp_str *ret_text)
{
    struct buffer out = {0};
    schema_encode_member(row, object, &out);
    *ret_text = out.failed ? bp_str_n(NULL, 0) : bp_arena_copy(arena, buffer_str(&out));
    buffer_deinit(&out);
    return ret_text->ptr != NULL;
}

bool sql_value_of(const struct bp_field *row, const void *object, struct bp_arena *arena, struct bp_db_value *ret)
{
    const void *member = (const char *)object + row->offset;
    bp_str text;
    switch ((enum bp_type)row->type) {
    case BP_TYPE_BOOL:
        *ret = bp_db_bool(*(const bool *)member);
        break;
    case BP_TYPE_U32:
        *ret = bp_db_i64(*(const uint32_t *)member);
        break;
    case BP_TYPE_I64:
    case BP_TYPE_SPAN:
        *ret = bp_db_i64(*(const int64_t *)member);
        break;
    case BP_TYPE_SIZE:
        *ret = bp_db_i64((int64_t) * (const uint64_t *)member);
        break;
    case BP_TYPE_F64:
        *ret = bp_db_f64(*(const double *)member);
        break;
    case BP_TYPE_TEXT:
        text = *(const bp_str *)member;
        *ret = bp_db_text(text.ptr ? text : BP_STR(""));
        break;
    case BP_TYPE_CHOICE:
        *ret = bp_db_text(bp_str_of(row->choices[*(const uint32_t *)member]));
        break;
    case BP_TYPE_UUID:
        *ret = bp_db_uuid(member);
        break;
    case BP_TYPE_DATE:
        *ret = bp_db_date(*(const bp_date *)member);
        break;
    case BP_TYPE_ARRAY:
    case BP_TYPE_OBJECT:
        if (!json_value(row, object, arena, &text))
            return false;
        *ret = bp_db_text(text);
        break;
    case BP_TYPE_END:
    case BP_TYPE_PRESENCE:
        *ret = bp_db_null();
    }
    return true;
}

/* The values of a statement's parameters, in the arena. NULL: out of memory. */
static struct bp_db_value *statement_bind(const struct resource *resource, const struct statement *statement,
                                          const struct binding *binding, struct bp_arena *arena)
{
    struct bp_db_value *values = bp_arena_array(arena, statement->count + 1, sizeof(*values));
    for (unsigned i = 0; values && i < statement->count; i++) {
        unsigned index = statement->parameters[i].index;
        uint64_t bit = UINT64_C(1) << (index & 63);
        switch ((enum source)statement->parameters[i].source) {
        case SOURCE_ID:
            values[i] = bp_db_uuid(binding->id);
            break;
        case SOURCE_OWNER:
            values[i] = bp_db_uuid(binding->owner);
            break;
        case SOURCE_NOW:
            values[i] = bp_db_date(binding->now);
            break;
        case SOURCE_IF_VERSION:
            values[i] = binding->if_version ? bp_db_i64(*binding->if_version) : bp_db_null();
            break;
        case SOURCE_GIVEN:
            values[i] = bp_db_bool(binding->given & bit);
            break;
        case SOURCE_VALUE:
            if (!(binding->null & bit) &&
                !sql_value_of(resource->members[index].row, binding->object, arena, &values[i]))
                return NULL;
            break;
        case SOURCE_FILTER:
            values[i] = binding->filters[index];
            break;
        case SOURCE_KEY:
            values[i] = binding->keys[index];
            break;
        case SOURCE_LIMIT:
            values[i] = bp_db_i64(binding->limit);
            break;
        case SOURCE_OFFSET:
            values[i] = bp_db_i64(binding->offset);
            break;
        }
    }
    return values;
}

int statement_run(const struct resource *resource, struct bp_tx *tx, const struct statement *statement,
                  const struct binding *binding, struct bp_arena *arena, struct bp_result *ret_result)
{
    struct bp_db_value *values = statement_bind(resource, statement, binding, arena);
    if (!values)
        return BP_NOMEM;
    return bp_db_query(resource_db(resource), tx, &statement->statement, values, statement->count, arena, ret_result);
}
