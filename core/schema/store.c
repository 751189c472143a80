/* SPDX-License-Identifier: MIT */
/* Values into structs, and what is said when they do not fit. */
#include "backplane/status.h"
#include "core/schema/value.h"

void value_store(const struct column *column, const union value *value, void *object, struct bp_problems *problems)
{
    void *member = (char *)object + column->offset;
    memcpy(member, value, column->size);
    if (column->row->check)
        column->row->check(column->row, member, problems);
}

static void add(const struct column *column, const char *code, struct buffer *message, struct bp_problems *problems)
{
    if (message->failed)
        problems->failed = true;
    else
        problems_add(problems, column->json, code, buffer_str(message));
    buffer_deinit(message);
}

void value_refuse(const struct column *column, enum verdict verdict, struct bp_problems *problems)
{
    const char *code = verdict == VALUE_MALFORMED ? "invalid" : "out_of_range";
    struct buffer message = {0};
    if (column->row->invalid) {
        problems_add(problems, column->json, code, bp_str_of(column->row->invalid));
        return;
    }
    buffer_add(&message, column->label);
    buffer_add(&message, BP_STR(" must be "));
    schema_describe_type(column->row, &message);
    add(column, code, &message, problems);
}

void value_require(const struct column *column, struct bp_problems *problems)
{
    struct buffer message = {0};
    buffer_add(&message, column->label);
    buffer_add(&message, BP_STR(" is required"));
    add(column, "required", &message, problems);
}

void value_complain(const struct column *column, const char *code, const char *format, int64_t limit,
                    struct bp_problems *problems)
{
    const char *place = strstr(format, "%d");
    struct buffer message = {0};
    buffer_add(&message, column->label);
    buffer_add_char(&message, ' ');
    if (place) {
        buffer_add(&message, bp_str_n(format, (size_t)(place - format)));
        buffer_printf(&message, "%lld%s", (long long)limit, place + 2);
    } else {
        buffer_add(&message, bp_str_of(format));
    }
    add(column, code, &message, problems);
}

int defaults_fill(const struct table *table, unsigned stages, void *object)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        char *member = (char *)object + column->offset;
        if (!(stages & (column->flags & BP_STAGE ? DEFAULTS_STAGE : DEFAULTS_SELF)))
            continue;
        if (column->has_default) {
            memcpy(member, &column->initial, column->size);
        } else if (column->type == BP_TYPE_OBJECT) {
            const struct table *sub = table_of(column->row->sub);
            int status = sub ? defaults_fill(sub, DEFAULTS_STAGE | DEFAULTS_SELF, member) : BP_NOMEM;
            if (status)
                return status;
        }
    }
    return 0;
}

static void clear(const struct table *table, char *object)
{
    if (table->presence) {
        memset(object + table->set_offset, 0, sizeof(uint64_t));
        memset(object + table->null_offset, 0, sizeof(uint64_t));
    }
    for (uint32_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        if (column->type == BP_TYPE_OBJECT) {
            const struct table *sub = table_of(column->row->sub);
            if (sub)
                clear(sub, object + column->offset);
        } else {
            memset(object + column->offset, 0, column->type == BP_TYPE_ARRAY ? sizeof(struct bp_array) : column->size);
        }
    }
}

int object_reset(const struct table *table, void *object)
{
    clear(table, object);
    return defaults_fill(table, DEFAULTS_STAGE | DEFAULTS_SELF, object);
}

int schema_set_defaults(const struct bp_field *rows, bool stage, struct bp_arena *arena, void *object)
{
    const struct table *table = table_of(rows);
    (void)arena; /* texts of defaults live with the rows */
    if (!table)
        return BP_NOMEM;
    return defaults_fill(table, stage ? DEFAULTS_STAGE : DEFAULTS_SELF, object);
}
