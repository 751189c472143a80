/* SPDX-License-Identifier: MIT */
/* Values in the syntax of a configuration file (libconfig). */
#include "core/schema/print.h"
#include "core/schema/number.h"
#include "core/schema/table.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static void print_measure(uint64_t value, const struct unit *units, struct buffer *out)
{
    const struct unit *unit = units;
    while (unit->factor > 1 && (value == 0 || value % unit->factor != 0))
        unit++;
    buffer_printf(out, "%llu%s", (unsigned long long)(value / unit->factor), unit->name);
}

void print_span(bp_span span, struct buffer *out)
{
    static const struct unit units[] = {{"d", BP_DAY},    {"h", BP_HOUR},         {"m", BP_MINUTE},
                                        {"s", BP_SECOND}, {"ms", BP_MILLISECOND}, {"us", BP_MICROSECOND},
                                        {"ns", 1}};
    if (span <= 0)
        buffer_add(out, BP_STR("0s"));
    else
        print_measure((uint64_t)span, units, out);
}

void print_size(uint64_t size, struct buffer *out)
{
    static const struct unit decimal[] = {
        {"TB", 1000000000000}, {"GB", 1000000000}, {"MB", 1000000}, {"KB", 1000}, {"B", 1}};
    static const struct unit binary[] = {
        {"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}};
    print_measure(size, size % 1000 != 0 && size % 1024 == 0 ? binary : decimal, out);
}

static void print_quoted(bp_str text, struct buffer *out)
{
    buffer_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else if (c == '\n')
            buffer_add(out, BP_STR("\\n"));
        else if (c < 0x20 || c == 0x7f)
            buffer_printf(out, "\\x%02x", c);
        else
            buffer_add_char(out, (char)c);
    }
    buffer_add_char(out, '"');
}

/* A number beyond 32 bits wraps around in silence unless it ends in L. */
static void print_integer(int64_t value, struct buffer *out)
{
    buffer_printf(out, "%lld%s", (long long)value, value > INT32_MAX || value < INT32_MIN ? "L" : "");
}

static void print_number(double value, struct buffer *out)
{
    char text[NUMBER_DOUBLE_MAX + 1];
    size_t len = (size_t)(number_put_double(text, value) - text);
    buffer_add(out, bp_str_n(text, len));
    if (!memchr(text, '.', len) && !memchr(text, 'e', len))
        buffer_add(out, BP_STR(".0")); /* else it would be an integer */
}

static void print_group(const struct bp_field *rows, const void *object, struct buffer *out)
{
    const struct table *table = table_of(rows);
    if (!table) {
        out->failed = true;
        return;
    }
    if (table->bare) {
        schema_print_value(table->columns[0].row, object, out);
        return;
    }
    buffer_add(out, BP_STR("{ "));
    for (uint32_t i = 0; i < table->count; i++) {
        buffer_add(out, bp_str_of(table->columns[i].row->name));
        buffer_add(out, BP_STR(" = "));
        schema_print_value(table->columns[i].row, object, out);
        buffer_add(out, BP_STR("; "));
    }
    buffer_add_char(out, '}');
}

static void print_list(const struct bp_field *row, const struct bp_array *array, struct buffer *out)
{
    buffer_add_char(out, '(');
    for (size_t i = 0; i < array->len; i++) {
        buffer_add(out, i > 0 ? BP_STR(", ") : BP_STR(" "));
        print_group(row->sub, (const char *)array->ptr + i * row->item_size, out);
    }
    buffer_add(out, BP_STR(" )"));
}

static void print_measured(const struct bp_field *row, int64_t value, struct buffer *out)
{
    char date[BP_DATE_LEN];
    buffer_add_char(out, '"');
    if (row->type == BP_TYPE_SPAN) {
        print_span(value, out);
    } else {
        bp_date_format(value, date);
        buffer_add(out, bp_str_n(date, sizeof(date)));
    }
    buffer_add_char(out, '"');
}

static void print_choice(const struct bp_field *row, uint32_t index, struct buffer *out)
{
    uint32_t i = 0;
    while (i < index && row->choices[i])
        i++;
    print_quoted(bp_str_of(row->choices[i] ? row->choices[i] : ""), out);
}

void schema_print_value(const struct bp_field *row, const void *object, struct buffer *out)
{
    const char *member = (const char *)object + row->offset;
    char uuid[BP_UUID_LEN];
    if (row->flags & BP_SECRET) {
        buffer_add(out, BP_STR("\"[secret]\""));
        return;
    }
    switch (row->type) {
    case BP_TYPE_BOOL:
        buffer_add(out, *(const bool *)member ? BP_STR("true") : BP_STR("false"));
        break;
    case BP_TYPE_U32:
        print_integer(*(const uint32_t *)(const void *)member, out);
        break;
    case BP_TYPE_I64:
    case BP_TYPE_SIZE: /* sizes are parsed as signed numbers, so one above INT64_MAX cannot be here */
        print_integer(*(const int64_t *)(const void *)member, out);
        break;
    case BP_TYPE_F64:
        print_number(*(const double *)(const void *)member, out);
        break;
    case BP_TYPE_TEXT:
        print_quoted(*(const bp_str *)(const void *)member, out);
        break;
    case BP_TYPE_CHOICE:
        print_choice(row, *(const uint32_t *)(const void *)member, out);
        break;
    case BP_TYPE_SPAN:
    case BP_TYPE_DATE:
        print_measured(row, *(const int64_t *)(const void *)member, out);
        break;
    case BP_TYPE_UUID:
        bp_uuid_format((const bp_uuid *)(const void *)member, uuid);
        print_quoted(bp_str_n(uuid, sizeof(uuid)), out);
        break;
    case BP_TYPE_OBJECT:
        print_group(row->sub, member, out);
        break;
    case BP_TYPE_ARRAY:
        print_list(row, (const struct bp_array *)(const void *)member, out);
        break;
    default:
        break;
    }
}
