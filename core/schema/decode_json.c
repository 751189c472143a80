/* SPDX-License-Identifier: MIT */
/* JSON into structs. Problems come in the order of the rows, whatever the order of the members. */
#include "backplane/status.h"
#include "core/schema/read_json.h"
#include "core/schema/value.h"

#include <stdio.h>

struct decoder {
    struct bp_arena *arena;
    struct bp_problems *problems;
    bool overflow; /* READ_JSON_OVERFLOW has its meaning */
    int status;    /* negative: fatal */
};

static void decode_object(struct decoder *decoder, const struct table *table, json_t *json, void *object);

static void refuse_type(struct decoder *decoder, const struct column *column)
{
    if (column->flags & BP_REQUIRED || column->type == BP_TYPE_TEXT)
        value_require(column, decoder->problems);
    else
        value_refuse(column, VALUE_MALFORMED, decoder->problems);
}

static const struct table *sub_table(struct decoder *decoder, const struct column *column)
{
    const struct table *table = table_of(column->row->sub);
    if (table && !table->error)
        return table;
    decoder->status = table ? BP_MISUSE : BP_NOMEM;
    return NULL;
}

static void run_check(struct decoder *decoder, const struct column *column, size_t problems_before, const void *member)
{
    if (column->row->check && decoder->status == 0 && decoder->problems->len == problems_before)
        column->row->check(column->row, member, decoder->problems);
}

static enum verdict read_number(const struct decoder *decoder, const struct column *column, json_t *json,
                                union value *ret_value)
{
    double number;
    if (json_is_integer(json)) {
        int64_t integer = json_integer_value(json);
        return column->type == BP_TYPE_F64 ? value_of_integer(column, integer, ret_value)
                                           : value_of_plain_integer(column, integer, ret_value);
    }
    number = json_real_value(json);
    if (decoder->overflow && number == READ_JSON_OVERFLOW)
        return VALUE_ABOVE;
    if (decoder->overflow && number == -READ_JSON_OVERFLOW)
        return VALUE_BELOW;
    return value_of_number(column, number, ret_value);
}

static bool takes_number(const struct column *column)
{
    return column->type == BP_TYPE_U32 || column->type == BP_TYPE_I64 || column->type == BP_TYPE_F64 ||
           column->type == BP_TYPE_SPAN || column->type == BP_TYPE_SIZE;
}

static bool takes_text(const struct column *column)
{
    return column->type == BP_TYPE_CHOICE || column->type == BP_TYPE_UUID || column->type == BP_TYPE_DATE ||
           column->type == BP_TYPE_SPAN || column->type == BP_TYPE_SIZE;
}

static void decode_scalar(struct decoder *decoder, const struct column *column, json_t *json, void *object)
{
    union value value;
    enum verdict verdict;
    bp_str text = {0};
    if (json_is_string(json))
        text = bp_str_n(json_string_value(json), json_string_length(json));
    if (column->type == BP_TYPE_TEXT && text.ptr) {
        text_store(column, text, true, decoder->arena, object, decoder->problems);
        return;
    }
    if (text.ptr && takes_text(column)) {
        verdict = value_parse(column, text, &value);
    } else if (json_is_number(json) && takes_number(column)) {
        verdict = read_number(decoder, column, json, &value);
    } else if (json_is_boolean(json) && column->type == BP_TYPE_BOOL) {
        value.boolean = json_is_true(json);
        verdict = VALUE_FINE;
    } else {
        refuse_type(decoder, column);
        return;
    }
    if (verdict == VALUE_FINE)
        value_store(column, &value, object, decoder->problems);
    else
        value_refuse(column, verdict, decoder->problems);
}

static void decode_value(struct decoder *decoder, const struct column *column, json_t *json, void *object);

static void decode_item(struct decoder *decoder, const struct table *table, json_t *json, void *item)
{
    if (table->bare && json_is_null(json)) {
        refuse_type(decoder, &table->columns[0]);
    } else if (table->bare) {
        decode_value(decoder, &table->columns[0], json, item);
    } else if (json_is_object(json)) {
        if (defaults_fill(table, DEFAULTS_STAGE | DEFAULTS_SELF, item) != 0)
            decoder->status = BP_NOMEM;
        decode_object(decoder, table, json, item);
    } else {
        problems_add(decoder->problems, bp_str_n(NULL, 0), "invalid", BP_STR("Item must be an object"));
    }
}

static void decode_items(struct decoder *decoder, const struct column *column, json_t *json, struct bp_array *array)
{
    const struct table *table = sub_table(decoder, column);
    const struct problem_path *outer = decoder->problems->path;
    struct problem_path member = {.parent = outer, .name = column->json}, place = {.parent = &member};
    size_t len = json_array_size(json);
    char *items = len > 0 && table ? bp_arena_array(decoder->arena, len, column->row->item_size) : NULL;
    if (!table || len == 0)
        return;
    if (!items) {
        decoder->status = BP_NOMEM;
        return;
    }
    decoder->problems->path = &place;
    for (; place.index < len && decoder->status == 0; place.index++)
        decode_item(decoder, table, json_array_get(json, place.index), items + place.index * column->row->item_size);
    decoder->problems->path = outer;
    *array = (struct bp_array){items, len};
}

static void decode_array(struct decoder *decoder, const struct column *column, json_t *json, struct bp_array *array)
{
    size_t before = decoder->problems->len;
    int64_t len = (int64_t)json_array_size(json);
    if (len > column->high) /* and its items are not looked at */
        value_complain(column, "too_long", "must have at most %d items", column->high, decoder->problems);
    else if (len < column->low && column->low == 1)
        value_complain(column, "too_short", "cannot be empty", 0, decoder->problems);
    else if (len < column->low)
        value_complain(column, "too_short", "must have at least %d items", column->low, decoder->problems);
    else
        decode_items(decoder, column, json, array);
    run_check(decoder, column, before, array);
}

static void decode_nested(struct decoder *decoder, const struct column *column, json_t *json, void *member)
{
    const struct table *table = sub_table(decoder, column);
    const struct problem_path *outer = decoder->problems->path;
    struct problem_path place = {.parent = outer, .name = column->json};
    size_t before = decoder->problems->len;
    if (!table)
        return;
    decoder->problems->path = &place;
    decode_object(decoder, table, json, member);
    decoder->problems->path = outer;
    run_check(decoder, column, before, member);
}

static void decode_value(struct decoder *decoder, const struct column *column, json_t *json, void *object)
{
    void *member = (char *)object + column->offset;
    if (column->size > 0)
        decode_scalar(decoder, column, json, object);
    else if (column->type == BP_TYPE_ARRAY && json_is_array(json))
        decode_array(decoder, column, json, member);
    else if (column->type == BP_TYPE_OBJECT && json_is_object(json))
        decode_nested(decoder, column, json, member);
    else
        refuse_type(decoder, column);
}

/* Null is not the default. A nested object keeps what its own rows begin with. */
static void clear(const struct column *column, void *object)
{
    memset((char *)object + column->offset, 0, column->size);
}

static void decode_object(struct decoder *decoder, const struct table *table, json_t *json, void *object)
{
    uint64_t set = 0, null = 0;
    for (uint32_t i = 0; i < table->count && decoder->status == 0; i++) {
        const struct column *column = &table->columns[i];
        json_t *value = json_object_getn(json, column->json.ptr, column->json.len);
        if (!value) {
            if (column->flags & BP_REQUIRED)
                value_require(column, decoder->problems);
            continue;
        }
        set |= (uint64_t)1 << (i & 63);
        if (!json_is_null(value)) {
            decode_value(decoder, column, value, object);
        } else if (column->flags & BP_NULLABLE) {
            null |= (uint64_t)1 << (i & 63);
            clear(column, object);
        } else {
            refuse_type(decoder, column);
        }
    }
    if (table->presence) {
        memcpy((char *)object + table->set_offset, &set, sizeof(set));
        memcpy((char *)object + table->null_offset, &null, sizeof(null));
    }
}

static int report_syntax(const struct syntax_error *error, struct bp_problems *problems)
{
    char message[JSON_ERROR_TEXT_LENGTH + 80];
    snprintf(message, sizeof(message), "Invalid JSON at line %u, column %u: %s", error->line, error->column,
             error->what);
    problems_add(problems, bp_str_n(NULL, 0), "syntax", bp_str_of(message));
    return problems->failed ? BP_NOMEM : SCHEMA_SYNTAX;
}

static int begin(const struct bp_field *rows, const struct table **ret_table, void *object)
{
    *ret_table = table_of(rows);
    if (!*ret_table)
        return BP_NOMEM;
    return (*ret_table)->error ? BP_MISUSE : object_reset(*ret_table, object);
}

static int decode_root(struct decoder *decoder, const struct table *table, json_t *value, void *object)
{
    size_t before = decoder->problems->len;
    if (json_is_object(value))
        decode_object(decoder, table, value, object);
    else
        problems_add(decoder->problems, bp_str_n(NULL, 0), "invalid", BP_STR("Body must be a JSON object"));
    if (decoder->status)
        return decoder->status;
    return decoder->problems->failed ? BP_NOMEM : decoder->problems->len > before ? SCHEMA_INVALID : 0;
}

int schema_decode_value(const struct bp_field *rows, struct json_t *value, struct bp_arena *arena, void *object,
                        struct bp_problems *problems)
{
    const struct table *table;
    struct decoder decoder = {.arena = arena, .problems = problems};
    int status = begin(rows, &table, object);
    return status ? status : decode_root(&decoder, table, value, object);
}

int bp_field_decode_json(const struct bp_field *row, bp_str json, struct bp_arena *arena, void *object)
{
    const struct column *column = column_of(row);
    struct bp_problems problems;
    struct decoder decoder = {.arena = arena, .problems = &problems};
    struct syntax_error error;
    json_t *value;
    if (!column)
        return BP_NOMEM;
    if (row->type == BP_TYPE_ARRAY && row->min <= 0 && bp_str_is(json, "[]")) { /* most of the lists that rows hold */
        memset((char *)object + row->offset, 0, sizeof(struct bp_array));
        return 0;
    }
    int status = read_json(json, &value, &decoder.overflow, &error);
    if (status)
        return status < 0 ? status : BP_ERROR;
    problems_init(&problems, arena);
    decode_value(&decoder, column, value, object);
    json_decref(value);
    return decoder.status ? decoder.status : problems.failed ? BP_NOMEM : problems.len > 0 ? BP_ERROR : 0;
}

int schema_decode_json(const struct bp_field *rows, bp_str json, struct bp_arena *arena, void *object,
                       struct bp_problems *problems)
{
    const struct table *table;
    struct decoder decoder = {.arena = arena, .problems = problems};
    struct syntax_error error;
    json_t *value;
    int status = begin(rows, &table, object);
    if (status == 0)
        status = read_json(json, &value, &decoder.overflow, &error);
    if (status)
        return status == SCHEMA_SYNTAX ? report_syntax(&error, problems) : status;
    status = decode_root(&decoder, table, value, object);
    json_decref(value);
    return status;
}
