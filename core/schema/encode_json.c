/* SPDX-License-Identifier: MIT */
/* Structs as JSON, straight into the buffer: keys are there with their quotes, commas and colons, and room is made once for a member. */
#include "core/schema/escape.h"
#include "core/schema/number.h"
#include "core/schema/print.h"
#include "core/schema/table.h"

/* The longest scalar that is no text: a date or a UUID with quotes, or a double, and the comma or brace behind it. */
#define SCALAR_MAX 48

static char *put_object(struct buffer *out, char *p, const struct table *table, const void *object);

static char *put_null(char *p)
{
    memcpy(p, "null", 4);
    return p + 4;
}

static char *put_bool(char *p, bool value)
{
    memcpy(p, value ? "true" : "fals", 4);
    p[4] = 'e';
    return p + (value ? 4 : 5);
}

static char *put_choice(struct buffer *out, char *p, const struct bp_field *row, uint32_t index)
{
    uint32_t i = 0;
    while (i < index && row->choices[i])
        i++;
    return row->choices[i] ? escape_put(out, p, bp_str_of(row->choices[i])) : put_null(p);
}

static char *put_date(char *p, bp_date date)
{
    char *end = number_put_date(p + 1, date);
    if (!end)
        return put_null(p);
    *p = '"';
    *end = '"';
    return end + 1;
}

static char *put_uuid(char *p, const bp_uuid *uuid)
{
    *p = '"';
    p = number_put_uuid(p + 1, uuid);
    *p = '"';
    return p + 1;
}

static char *put_span(struct buffer *out, char *p, bp_span span)
{
    *p++ = '"';
    out->len = (size_t)(p - out->ptr);
    print_span(span, out);
    if (out->failed || !buffer_reserve(out, 1))
        return NULL;
    p = out->ptr + out->len;
    *p++ = '"';
    return p;
}

static char *put_array(struct buffer *out, char *p, const struct bp_field *row, const struct bp_array *array);

/* There is room for SCALAR_MAX bytes at p; afterwards there need not be any. NULL: out of memory, or an impossible table. */
static char *put_value(struct buffer *out, char *p, const struct column *column, const char *member)
{
    switch (column->type) {
    case BP_TYPE_BOOL:
        return put_bool(p, *(const bool *)member);
    case BP_TYPE_U32:
        return number_put_u64(p, *(const uint32_t *)(const void *)member);
    case BP_TYPE_I64:
        return number_put_i64(p, *(const int64_t *)(const void *)member);
    case BP_TYPE_SIZE:
        return number_put_u64(p, *(const uint64_t *)(const void *)member);
    case BP_TYPE_F64:
        return number_put_double(p, *(const double *)(const void *)member);
    case BP_TYPE_UUID:
        return put_uuid(p, (const bp_uuid *)(const void *)member);
    case BP_TYPE_DATE:
        return put_date(p, *(const bp_date *)(const void *)member);
    case BP_TYPE_SPAN:
        return put_span(out, p, *(const bp_span *)(const void *)member);
    case BP_TYPE_CHOICE:
        return put_choice(out, p, column->row, *(const uint32_t *)(const void *)member);
    case BP_TYPE_TEXT: {
        const bp_str *text = (const bp_str *)(const void *)member;
        return text->ptr || !(column->flags & BP_NULLABLE) ? escape_put(out, p, *text) : put_null(p);
    }
    case BP_TYPE_OBJECT: {
        const struct table *sub = table_of(column->row->sub);
        return sub && !sub->error ? put_object(out, p, sub, member) : NULL;
    }
    default:
        return put_array(out, p, column->row, (const struct bp_array *)(const void *)member);
    }
}

static char *put_array(struct buffer *out, char *p, const struct bp_field *row, const struct bp_array *array)
{
    const struct table *table = table_of(row->sub);
    const char *item = array->ptr;
    if (!table || table->error)
        return NULL;
    *p++ = '[';
    for (size_t i = 0; i < array->len && p; i++, item += row->item_size) {
        p = room(out, p, SCALAR_MAX + 1);
        if (!p)
            return NULL;
        if (i > 0)
            *p++ = ',';
        p = table->bare ? put_value(out, p, &table->columns[0], item + table->columns[0].offset)
                        : put_object(out, p, table, item);
    }
    p = p ? room(out, p, 1) : NULL;
    if (p)
        *p++ = ']';
    return p;
}

static char *put_key(char *p, bp_str key)
{
    if (key.len > SCHEMA_SLACK)
        memcpy(p, key.ptr, key.len);
    else
        memcpy(p, key.ptr, SCHEMA_SLACK); /* of constant length; there is room for what is too much */
    return p + key.len;
}

static char *put_object(struct buffer *out, char *p, const struct table *table, const void *object)
{
    uint64_t set = UINT64_MAX, null = 0;
    size_t start = (size_t)(p - out->ptr);
    if (table->presence) {
        memcpy(&set, (const char *)object + table->set_offset, sizeof(set));
        memcpy(&null, (const char *)object + table->null_offset, sizeof(null));
    }
    for (uint32_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        uint64_t bit = table->presence ? (uint64_t)1 << i : 0;
        if (table->presence && !(set & bit))
            continue;
        p = room(out, p, column->key.len + SCHEMA_SLACK + SCALAR_MAX);
        if (!p)
            return NULL;
        p = put_key(p, column->key);
        p = null & bit ? put_null(p) : put_value(out, p, column, (const char *)object + column->offset);
        if (!p)
            return NULL;
    }
    p = room(out, p, 2);
    if (!p)
        return NULL;
    if ((size_t)(p - out->ptr) == start)
        p++;
    out->ptr[start] = '{'; /* in the place of the first key's comma */
    *p++ = '}';
    return p;
}

void schema_encode_json(const struct bp_field *rows, const void *object, struct buffer *out)
{
    const struct table *table = table_of(rows);
    char *p = table && !table->error && buffer_reserve(out, SCALAR_MAX) ? out->ptr + out->len : NULL;
    size_t before = out->len;
    if (p)
        p = put_object(out, p, table, object);
    if (p) {
        out->len = (size_t)(p - out->ptr);
    } else {
        out->len = before;
        out->failed = true;
    }
}

void schema_encode_member(const struct bp_field *row, const void *object, struct buffer *out)
{
    const struct column *column = column_of(row);
    char *p = column && buffer_reserve(out, SCALAR_MAX) ? out->ptr + out->len : NULL;
    if (p)
        p = put_value(out, p, column, (const char *)object + column->offset);
    if (p)
        out->len = (size_t)(p - out->ptr);
    else
        out->failed = true;
}
