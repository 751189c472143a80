/* SPDX-License-Identifier: MIT */
/* Types in words: "an integer from 1 to 100". */
#include "core/schema/print.h"
#include "core/schema/table.h"

static void put_bound(const struct column *column, int64_t bound, struct buffer *out)
{
    char date[BP_DATE_LEN];
    if (column->type == BP_TYPE_SPAN) {
        print_span(bound, out);
    } else if (column->type == BP_TYPE_SIZE) {
        print_size((uint64_t)bound, out);
    } else if (column->type == BP_TYPE_DATE) {
        bp_date_format(bound, date);
        buffer_add(out, bp_str_n(date, sizeof(date)));
    } else {
        buffer_printf(out, "%lld", (long long)bound);
    }
}

/* "<noun> from LOW to HIGH", "<noun> of at least LOW", "<noun> of at most HIGH", or the noun and <bare>. */
static void put_range(const struct column *column, const char *noun, const char *bare, struct buffer *out)
{
    bool low = column->low > (column->type == BP_TYPE_SPAN || column->type == BP_TYPE_SIZE ? 0 : INT64_MIN);
    bool high = column->high < INT64_MAX;
    buffer_add(out, bp_str_of(noun));
    if (!low && !high) {
        buffer_add(out, bp_str_of(bare));
        return;
    }
    buffer_add(out, low && high ? BP_STR(" from ") : low ? BP_STR(" of at least ") : BP_STR(" of at most "));
    if (low)
        put_bound(column, column->low, out);
    if (low && high)
        buffer_add(out, BP_STR(" to "));
    if (high)
        put_bound(column, column->high, out);
}

static void put_count(const struct column *column, const char *noun, const char *unit, struct buffer *out)
{
    buffer_add(out, bp_str_of(noun));
    if (column->low == 0 && column->high == INT64_MAX)
        return;
    if (column->low == 0)
        buffer_printf(out, " of at most %lld %s", (long long)column->high, unit);
    else if (column->high == INT64_MAX)
        buffer_printf(out, " of at least %lld %s", (long long)column->low, unit);
    else
        buffer_printf(out, " of %lld to %lld %s", (long long)column->low, (long long)column->high, unit);
}

static void put_choices(const struct bp_field *row, struct buffer *out)
{
    buffer_add(out, BP_STR("one of "));
    for (size_t i = 0; row->choices && row->choices[i]; i++) {
        if (i > 0)
            buffer_add(out, BP_STR(", "));
        buffer_add(out, bp_str_of(row->choices[i]));
    }
}

void schema_describe_type(const struct bp_field *row, struct buffer *out)
{
    const struct column *column = column_of(row);
    if (!column) {
        out->failed = true;
        return;
    }
    switch (column->type) {
    case BP_TYPE_BOOL:
        buffer_add(out, BP_STR("a boolean"));
        break;
    case BP_TYPE_U32:
    case BP_TYPE_I64:
        put_range(column, "an integer", "", out);
        break;
    case BP_TYPE_F64:
        put_range(column, "a number", "", out);
        break;
    case BP_TYPE_TEXT:
        put_count(column, "a text", "characters", out);
        break;
    case BP_TYPE_CHOICE:
        put_choices(row, out);
        break;
    case BP_TYPE_SPAN:
        put_range(column, "a duration", " such as 30s", out);
        break;
    case BP_TYPE_SIZE:
        put_range(column, "a size", " such as 10MB", out);
        break;
    case BP_TYPE_UUID:
        buffer_add(out, BP_STR("a UUID"));
        break;
    case BP_TYPE_DATE:
        put_range(column, "a date", " such as 2026-01-31T12:00:00Z", out);
        break;
    case BP_TYPE_OBJECT:
        buffer_add(out, BP_STR("an object"));
        break;
    case BP_TYPE_ARRAY:
        put_count(column, "an array", "items", out);
        break;
    default:
        break;
    }
}
