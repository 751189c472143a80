/* SPDX-License-Identifier: MIT */
/* Single values from text or from a typed setting, and structs from named texts. */
#include "backplane/status.h"
#include "core/schema/value.h"

static void set_value(const struct column *column, enum verdict verdict, const union value *value, void *object,
                      struct bp_problems *problems)
{
    if (verdict == VALUE_FINE)
        value_store(column, value, object, problems);
    else
        value_refuse(column, verdict, problems);
}

static void set_text(const struct column *column, bp_str text, struct bp_arena *arena, void *object,
                     struct bp_problems *problems)
{
    union value value;
    if (column->type == BP_TYPE_TEXT)
        text_store(column, text, false, arena, object, problems);
    else
        set_value(column, value_parse(column, text, &value), &value, object, problems);
}

static int outcome(const struct bp_problems *problems, size_t before)
{
    return problems->failed ? BP_NOMEM : problems->len > before ? SCHEMA_INVALID : 0;
}

int schema_set_text(const struct bp_field *row, bp_str text, struct bp_arena *arena, void *object,
                    struct bp_problems *problems)
{
    const struct column *column = column_of(row);
    size_t before = problems->len;
    if (!column)
        return BP_NOMEM;
    set_text(column, text, arena, object, problems);
    return outcome(problems, before);
}

int schema_set_integer(const struct bp_field *row, int64_t value, void *object, struct bp_problems *problems)
{
    static const bool integral[] = {[BP_TYPE_U32] = true,  [BP_TYPE_I64] = true,  [BP_TYPE_F64] = true,
                                    [BP_TYPE_SPAN] = true, [BP_TYPE_SIZE] = true, [BP_TYPE_ARRAY] = false};
    const struct column *column = column_of(row);
    size_t before = problems->len;
    union value stored;
    if (!column)
        return BP_NOMEM;
    if (integral[column->type])
        set_value(column, value_of_plain_integer(column, value, &stored), &stored, object, problems);
    else
        value_refuse(column, VALUE_MALFORMED, problems);
    return outcome(problems, before);
}

int schema_set_bool(const struct bp_field *row, bool value, void *object, struct bp_problems *problems)
{
    const struct column *column = column_of(row);
    size_t before = problems->len;
    union value stored = {.boolean = value};
    if (!column)
        return BP_NOMEM;
    set_value(column, column->type == BP_TYPE_BOOL ? VALUE_FINE : VALUE_MALFORMED, &stored, object, problems);
    return outcome(problems, before);
}

int schema_set_number(const struct bp_field *row, double value, void *object, struct bp_problems *problems)
{
    const struct column *column = column_of(row);
    size_t before = problems->len;
    union value stored;
    if (!column)
        return BP_NOMEM;
    if (column->type == BP_TYPE_F64)
        set_value(column, value_of_number(column, value, &stored), &stored, object, problems);
    else
        value_refuse(column, VALUE_MALFORMED, problems);
    return outcome(problems, before);
}

/* A bad value of a BP_LENIENT row leaves the default, one above the maximum is the maximum. */
static void set_leniently(const struct column *column, bp_str text, void *object, struct bp_problems *problems)
{
    union value value;
    enum verdict verdict = value_parse(column, text, &value);
    if (verdict == VALUE_ABOVE) {
        value_clamp(column, verdict, &value);
        verdict = VALUE_FINE;
    }
    if (verdict == VALUE_FINE)
        value_store(column, &value, object, problems);
}

static void mark(void *object, uint32_t offset, uint32_t bit)
{
    uint64_t bits;
    memcpy(&bits, (char *)object + offset, sizeof(bits));
    bits |= (uint64_t)1 << bit;
    memcpy((char *)object + offset, &bits, sizeof(bits));
}

int schema_decode_texts(const struct bp_field *rows, bool (*find)(void *argument, bp_str json_name, bp_str *ret_text),
                        void *argument, struct bp_arena *arena, void *object, struct bp_problems *problems)
{
    const struct table *table = table_of(rows);
    size_t before = problems->len;
    int status = table ? table->error ? BP_MISUSE : 0 : BP_NOMEM;
    if (status == 0)
        status = object_reset(table, object);
    if (status)
        return status;
    for (uint32_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        bp_str text = {0};
        if (!find(argument, column->json, &text)) {
            if (column->flags & BP_REQUIRED)
                value_require(column, problems);
            continue;
        }
        if (table->presence)
            mark(object, table->set_offset, i);
        if (column->flags & BP_LENIENT && column->type != BP_TYPE_TEXT)
            set_leniently(column, text, object, problems);
        else
            set_text(column, text, arena, object, problems);
    }
    return outcome(problems, before);
}
