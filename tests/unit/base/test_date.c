/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/base/clock.h"

static const struct {
    bp_date date;
    const char *text;
} formatted[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {1, "1970-01-01T00:00:00.001Z"},
    {86399999, "1970-01-01T23:59:59.999Z"},
    {951782400000, "2000-02-29T00:00:00.000Z"},
    {951868800000, "2000-03-01T00:00:00.000Z"},
    {1709164800000, "2024-02-29T00:00:00.000Z"},
    {4107542400000, "2100-03-01T00:00:00.000Z"},
    {1795377302123, "2026-11-22T19:55:02.123Z"},
    {-2203891200001, "1900-02-28T23:59:59.999Z"},
    {-2203891200000, "1900-03-01T00:00:00.000Z"},
    {-62167219200000, "0000-01-01T00:00:00.000Z"},
    {-62162121600000, "0000-02-29T00:00:00.000Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
};

Test(date, format_and_parse_agree)
{
    for (size_t i = 0; i < sizeof(formatted) / sizeof(formatted[0]); i++) {
        char text[BP_DATE_LEN + 1] = {0};
        bp_date date = 1;
        bp_date_format(formatted[i].date, text);
        cr_assert_str_eq(text, formatted[i].text);
        cr_assert(bp_date_parse(bp_str_of(formatted[i].text), &date), "%s", formatted[i].text);
        cr_assert_eq(date, formatted[i].date, "%s: %ld", formatted[i].text, date);
    }
}

Test(date, every_day_of_eight_hundred_years)
{
    bp_date last = 4102444800000 + 86400000LL * 146097;
    int day = 0;
    for (bp_date date = 4102444800000 - 86400000LL * 146097; date < last; date += 86400000) {
        char text[BP_DATE_LEN];
        bp_date parsed;
        int now;
        bp_date_format(date, text);
        cr_assert(bp_date_parse(bp_str_n(text, BP_DATE_LEN), &parsed), "%.24s", text);
        cr_assert_eq(parsed, date, "%.24s", text);
        now = (text[8] - '0') * 10 + text[9] - '0';
        cr_assert(now == day + 1 || now == 1, "%.24s", text);
        day = now;
    }
}

Test(date, out_of_range_is_written_as_the_nearest)
{
    char text[BP_DATE_LEN + 1] = {0};
    bp_date_format(INT64_MAX, text);
    cr_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
    bp_date_format(INT64_MIN, text);
    cr_assert_str_eq(text, "0000-01-01T00:00:00.000Z");
}

static const struct {
    const char *text;
    bp_date date;
} parsed[] = {
    {"2026-11-22T19:55:02Z", 1795377302000},           {"2026-11-22t19:55:02z", 1795377302000},
    {"2026-11-22T19:55:02.1Z", 1795377302100},         {"2026-11-22T19:55:02.12Z", 1795377302120},
    {"2026-11-22T19:55:02.123999999Z", 1795377302123}, {"2026-11-22T19:55:02.00000000000000000000001Z", 1795377302000},
    {"2026-11-22T21:55:02.123+02:00", 1795377302123},  {"2026-11-22T14:25:02.123-05:30", 1795377302123},
    {"2026-11-22T19:55:02+00:00", 1795377302000},      {"2026-11-22T19:55:02-00:00", 1795377302000},
    {"2026-11-23T19:54:02+23:59", 1795377302000},      {"2016-12-31T23:59:60Z", 1483228799000},
    {"2016-12-31T23:59:60.750Z", 1483228799750},       {"1970-01-01T00:30:00+01:00", -1800000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},     {"0000-01-01T01:00:00+01:00", -62167219200000},
};

Test(date, parses_what_rfc_3339_allows)
{
    for (size_t i = 0; i < sizeof(parsed) / sizeof(parsed[0]); i++) {
        bp_date date = 1;
        cr_assert(bp_date_parse(bp_str_of(parsed[i].text), &date), "%s", parsed[i].text);
        cr_assert_eq(date, parsed[i].date, "%s: %ld", parsed[i].text, date);
    }
}

Test(date, refuses_everything_else)
{
    static const char *const refused[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T19:55:02",
        "2026-11-22T19:55:02.Z",
        "2026-11-22T19:55:02.1",
        "2026-11-22T19:55:02,1Z",
        "2026-11-22 19:55:02Z",
        "2026-11-22T19:55Z",
        "2026-11-22T19:55:02ZZ",
        "2026-11-22T19:55:02Z ",
        " 2026-11-22T19:55:02Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00+0000",
        "2026-01-01T00:00:00+00",
        "2026-01-01T00:00:00+00:0",
        "2026-01-01T00:00:00+00:000",
        "2026-01-01T00:00:00*00:00",
        "2026-1-01T00:00:00Z",
        "+026-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "20260101T000000Z",
        "2026/01/01T00:00:00Z",
        "2026-01-01T0x:00:00Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        bp_date date = 77;
        cr_assert_not(bp_date_parse(bp_str_of(refused[i]), &date), "%s", refused[i]);
        cr_assert_eq(date, 77, "untouched on failure");
    }
    /* Every proper beginning of a date is refused, and nothing behind its end is read. */
    for (size_t len = 0; len < BP_DATE_LEN; len++) {
        bp_date date;
        cr_assert_not(bp_date_parse(bp_str_n("2026-11-22T19:55:02.123Z", len), &date), "%zu", len);
    }
}

static bp_time some_time(void)
{
    return 42;
}

static bp_date some_date(void)
{
    return 43;
}

Test(clock, can_be_replaced)
{
    static const struct clock_source source = {.monotonic = some_time, .wall = some_date};
    bp_time before = bp_clock();
    clock_replace(&source);
    cr_assert_eq(bp_clock(), 42);
    cr_assert_eq(bp_date_now(), 43);
    clock_replace(NULL);
    cr_assert_geq(bp_clock(), before);
    cr_assert_gt(bp_date_now(), 1700000000000);
}
