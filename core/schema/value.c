/* SPDX-License-Identifier: MIT */
/* Values of the scalar types but texts: from text, within bounds. */
#include "core/schema/value.h"

#include <math.h>
#include <stdlib.h>

static enum verdict within(const struct column *column, int64_t integer)
{
    return integer < column->low ? VALUE_BELOW : integer > column->high ? VALUE_ABOVE : VALUE_FINE;
}

enum verdict value_of_integer(const struct column *column, int64_t integer, union value *ret_value)
{
    enum verdict verdict = within(column, integer);
    if (verdict != VALUE_FINE)
        return verdict;
    if (column->type == BP_TYPE_U32)
        ret_value->u32 = (uint32_t)integer;
    else if (column->type == BP_TYPE_F64)
        ret_value->f64 = (double)integer;
    else
        ret_value->i64 = integer; /* BP_TYPE_SIZE too: never negative here */
    return VALUE_FINE;
}

enum verdict value_of_plain_integer(const struct column *column, int64_t integer, union value *ret_value)
{
    if (column->type == BP_TYPE_SPAN) {
        if (integer < 0)
            return VALUE_BELOW;
        if (__builtin_mul_overflow(integer, BP_SECOND, &integer))
            return VALUE_ABOVE;
    }
    return value_of_integer(column, integer, ret_value);
}

enum verdict value_of_number(const struct column *column, double number, union value *ret_value)
{
    if (!isfinite(number))
        return isnan(number) ? VALUE_MALFORMED : number < 0 ? VALUE_BELOW : VALUE_ABOVE;
    if (column->type == BP_TYPE_F64) {
        if (column->low != INT64_MIN && number < (double)column->low)
            return VALUE_BELOW;
        if (column->high != INT64_MAX && number > (double)column->high)
            return VALUE_ABOVE;
        ret_value->f64 = number;
        return VALUE_FINE;
    }
    if (trunc(number) != number)
        return VALUE_MALFORMED;
    if (number <= -0x1p63) /* INT64_MIN itself comes as an integer; here it is some smaller number, rounded */
        return VALUE_BELOW;
    if (number >= 0x1p63)
        return VALUE_ABOVE;
    return value_of_plain_integer(column, (int64_t)number, ret_value);
}

void value_clamp(const struct column *column, enum verdict verdict, union value *ret_value)
{
    value_of_integer(column, verdict == VALUE_ABOVE ? column->high : column->low, ret_value);
}

static size_t count_digits(bp_str text)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    return n;
}

/* -?digits; a number too large for int64_t is above or below it. */
static enum verdict parse_integer(bp_str text, int64_t *ret_integer)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    int64_t value = 0;
    if (negative)
        text = bp_str_n(text.ptr + 1, text.len - 1);
    if (text.len == 0 || count_digits(text) != text.len)
        return VALUE_MALFORMED;
    for (size_t i = 0; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return negative ? VALUE_BELOW : VALUE_ABOVE;
    }
    *ret_integer = value;
    return VALUE_FINE;
}

/* JSON's form of a number; strtod() alone would take "inf", "0x1" and white space. */
static enum verdict parse_number(bp_str text, double *ret_number)
{
    char copy[400];
    char *end;
    if (text.len == 0 || text.len >= sizeof(copy))
        return VALUE_MALFORMED;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        copy[i] = c;
        if (!(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E')
            return VALUE_MALFORMED;
    }
    copy[text.len] = '\0';
    *ret_number = strtod(copy, &end);
    return end == copy + text.len ? VALUE_FINE : VALUE_MALFORMED;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* digits and a unit; without one, the first unit's factor. */
static enum verdict parse_measure(bp_str text, const struct unit *units, int64_t *ret_integer)
{
    size_t digits = count_digits(text);
    bp_str name = bp_str_n(text.ptr + digits, text.len - digits);
    int64_t value = 0;
    enum verdict verdict = parse_integer(bp_str_n(text.ptr, digits), &value);
    if (verdict == VALUE_MALFORMED)
        return verdict;
    for (const struct unit *unit = units; unit->name; unit++) {
        if (name.len > 0 && !bp_str_is(name, unit->name))
            continue;
        if (verdict != VALUE_FINE || __builtin_mul_overflow(value, unit->factor, ret_integer))
            return VALUE_ABOVE;
        return VALUE_FINE;
    }
    return VALUE_MALFORMED;
}

static const struct unit spans[] = {{"s", BP_SECOND}, {"ms", BP_MILLISECOND}, {"m", BP_MINUTE}, {"h", BP_HOUR},
                                    {"d", BP_DAY},    {"us", BP_MICROSECOND}, {"ns", 1},        {NULL, 0}};
static const struct unit sizes[] = {
    {"B", 1},           {"KB", 1000},       {"MB", 1000000},    {"GB", 1000000000}, {"TB", 1000000000000},
    {"KiB", 1ll << 10}, {"MiB", 1ll << 20}, {"GiB", 1ll << 30}, {"TiB", 1ll << 40}, {NULL, 0}};

static enum verdict parse_choice(const struct column *column, bp_str text, union value *ret_value)
{
    const char *const *choices = column->row->choices;
    for (uint32_t i = 0; choices && choices[i]; i++) {
        bp_str name = bp_str_of(choices[i]);
        if (column->flags & BP_LOWER ? bp_str_eq_nocase(text, name) : bp_str_eq(text, name)) {
            ret_value->u32 = i;
            return VALUE_FINE;
        }
    }
    return VALUE_MALFORMED;
}

static enum verdict parse_bool(bp_str text, union value *ret_value)
{
    bool yes = bp_str_is(text, "true") || bp_str_is(text, "1");
    if (!yes && !bp_str_is(text, "false") && !bp_str_is(text, "0"))
        return VALUE_MALFORMED;
    ret_value->boolean = yes;
    return VALUE_FINE;
}

enum verdict value_parse(const struct column *column, bp_str text, union value *ret_value)
{
    enum verdict verdict = VALUE_MALFORMED;
    int64_t integer = 0;
    double number = 0;
    if (column->flags & BP_TRIM)
        text = text_trim(text);
    switch (column->type) {
    case BP_TYPE_BOOL:
        return parse_bool(text, ret_value);
    case BP_TYPE_CHOICE:
        return parse_choice(column, text, ret_value);
    case BP_TYPE_UUID:
        return bp_uuid_parse(text, &ret_value->uuid) ? VALUE_FINE : VALUE_MALFORMED;
    case BP_TYPE_F64:
        verdict = parse_number(text, &number);
        return verdict == VALUE_FINE ? value_of_number(column, number, ret_value) : verdict;
    case BP_TYPE_U32:
    case BP_TYPE_I64:
        verdict = parse_integer(text, &integer);
        break;
    case BP_TYPE_SPAN:
        verdict = parse_measure(text, spans, &integer);
        break;
    case BP_TYPE_SIZE:
        verdict = parse_measure(text, sizes, &integer);
        break;
    case BP_TYPE_DATE:
        verdict = bp_date_parse(text, &integer) ? VALUE_FINE : VALUE_MALFORMED;
        break;
    default:
        break;
    }
    return verdict == VALUE_FINE ? value_of_integer(column, integer, ret_value) : verdict;
}
