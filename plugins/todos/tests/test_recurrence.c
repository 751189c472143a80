/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "recurrence.h"
#include "recurrence_dates.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct recurrence parsed(const char *text)
{
    struct recurrence rule;
    struct recurrence_problem problem;
    cr_assert(recurrence_parse(bp_str_of(text), &rule, &problem), "%s: %s", text, problem.message);
    return rule;
}

/* One after the other, as todos follow each other: each knows only its own date and what is left of the rule. */
Test(recurrence, dates_as_others_have_them)
{
    for (size_t i = 0; i < LENGTH(recurrence_dates); i++) {
        struct recurrence rule = parsed(recurrence_dates[i].rule);
        bp_date date;
        char expected[BP_DATE_LEN], found[BP_DATE_LEN];
        cr_assert(bp_date_parse(bp_str_of(recurrence_dates[i].from), &date));
        bp_date_format(date, expected);
        char *dates = strdup(recurrence_dates[i].dates), *rest;
        for (char *word = strtok_r(dates, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
            bool more = recurrence_next(&rule, date, date, &date);
            cr_assert_eq(more, strcmp(word, "end") != 0, "%s from %s: %s", recurrence_dates[i].rule,
                         recurrence_dates[i].from, word);
            if (!more)
                break;
            rule.count -= rule.count > 0 ? 1 : 0;
            memcpy(expected, word, strlen("2026-01-01"));
            bp_date_format(date, found);
            cr_assert_arr_eq(found, expected, BP_DATE_LEN, "%s from %s: %.24s, not %.24s", recurrence_dates[i].rule,
                             recurrence_dates[i].from, found, expected);
        }
        free(dates);
    }
}

Test(recurrence, milliseconds_stay)
{
    const struct recurrence rule = parsed("FREQ=DAILY");
    bp_date next;
    cr_assert(recurrence_next(&rule, -1, -1, &next));
    cr_expect_eq(next, INT64_C(86399999));
}

/* Dates that are left out: the same as one after the other. */
Test(recurrence, later_than)
{
    static const bp_date ahead[] = {
        -5, 0, 1, 86399999, 86400000, 86400001, INT64_C(31536000000), INT64_C(1234567890123)};
    for (size_t i = 0; i < LENGTH(recurrence_dates); i++) {
        struct recurrence rule = parsed(recurrence_dates[i].rule), endless = rule;
        bp_date from;
        cr_assert(bp_date_parse(bp_str_of(recurrence_dates[i].from), &from));
        endless.count = rule.count == 1 ? 1 : 0;
        for (size_t j = 0; j < LENGTH(ahead); j++) {
            bp_date next = from, found = 0;
            bool more, any = recurrence_next(&rule, from, from + ahead[j], &found);
            do
                more = recurrence_next(&endless, next, next, &next);
            while (more && next <= from + ahead[j]);
            cr_assert_eq(any, more, "%s from %s, %lld", recurrence_dates[i].rule, recurrence_dates[i].from,
                         (long long)ahead[j]);
            cr_assert(!any || found == next, "%s from %s, %lld: %lld, not %lld", recurrence_dates[i].rule,
                      recurrence_dates[i].from, (long long)ahead[j], (long long)found, (long long)next);
        }
    }
}

/* However long ago. */
Test(recurrence, later_than_from_long_ago)
{
    static const struct {
        const char *rule, *from, *after, *next; /* "": none */
    } cases[] = {
        {"FREQ=DAILY", "0000-01-01T08:00:00Z", "2026-11-23T07:59:59.999Z", "2026-11-23T08:00:00.000Z"},
        {"FREQ=DAILY", "0000-01-01T08:00:00Z", "2026-11-23T08:00:00Z", "2026-11-24T08:00:00.000Z"},
        {"FREQ=DAILY;INTERVAL=3", "1970-01-01T00:00:00Z", "2026-11-23T10:00:00Z", "2026-11-24T00:00:00.000Z"},
        {"FREQ=WEEKLY;BYDAY=MO,SU", "1970-01-01T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00.000Z"},
        {"FREQ=MONTHLY", "1970-01-31T00:00:00Z", "2026-11-23T00:00:00Z", "2026-12-31T00:00:00.000Z"},
        {"FREQ=YEARLY", "0004-02-29T12:00:00Z", "2097-01-01T00:00:00Z", "2104-02-29T12:00:00.000Z"},
        {"FREQ=DAILY;UNTIL=20261123", "1970-01-01T00:00:00Z", "2026-11-23T00:00:00Z", ""},
        {"FREQ=DAILY;COUNT=2", "1970-01-01T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00.000Z"},
        {"FREQ=DAILY;COUNT=1", "1970-01-01T00:00:00Z", "2026-11-23T00:00:00Z", ""},
        {"FREQ=DAILY", "1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z", ""},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct recurrence rule = parsed(cases[i].rule);
        bp_date from, after, next;
        char text[BP_DATE_LEN + 1] = "";
        cr_assert(bp_date_parse(bp_str_of(cases[i].from), &from) && bp_date_parse(bp_str_of(cases[i].after), &after));
        if (recurrence_next(&rule, from, after, &next))
            bp_date_format(next, text);
        cr_expect_str_eq(text, cases[i].next, "%s from %s: %s", cases[i].rule, cases[i].from, text);
    }
}

Test(recurrence, one_way_to_write_it)
{
    static const struct {
        const char *text, *kept;
    } cases[] = {
        {"FREQ=DAILY", "FREQ=DAILY"},
        {"INTERVAL=1;FREQ=MONTHLY", "FREQ=MONTHLY"},
        {"COUNT=007;INTERVAL=2;FREQ=YEARLY", "FREQ=YEARLY;INTERVAL=2;COUNT=7"},
        {"BYDAY=SU,MO,MO,WE;FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO,WE,SU"},
        {"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;INTERVAL=999;COUNT=9999",
         "FREQ=WEEKLY;INTERVAL=999;BYDAY=MO,TU,WE,TH,FR,SA,SU;COUNT=9999"},
        {"FREQ=DAILY;UNTIL=20280229", "FREQ=DAILY;UNTIL=20280229T235959Z"},
        {"UNTIL=20271231T180005Z;FREQ=DAILY", "FREQ=DAILY;UNTIL=20271231T180005Z"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct recurrence rule = parsed(cases[i].text);
        char space[RECURRENCE_MAX];
        bp_str kept = recurrence_format(&rule, space);
        cr_expect(bp_str_is(kept, cases[i].kept), "%s: %.*s", cases[i].text, (int)kept.len, kept.ptr);
        rule = parsed(cases[i].kept);
        kept = recurrence_format(&rule, space);
        cr_expect(bp_str_is(kept, cases[i].kept), "%s: %.*s", cases[i].kept, (int)kept.len, kept.ptr);
    }
}

#define PART "recurrence.part"
#define FREQ "recurrence.freq"
#define INTERVAL "recurrence.interval"
#define BYDAY "recurrence.byday"
#define COUNT "recurrence.count"
#define UNTIL "recurrence.until"
#define NAMES "its parts must be among FREQ, INTERVAL, BYDAY, COUNT and UNTIL"
#define LIKE "a part must be like FREQ=WEEKLY"
#define FREQUENCIES "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY"
#define NUMBER "INTERVAL must be a number from 1 to 999"
#define DAYS "BYDAY must be some of MO, TU, WE, TH, FR, SA and SU, separated by commas"
#define MOMENT "UNTIL must be a day like 20271231 or a moment in UTC like 20271231T180000Z"

Test(recurrence, refused_with_a_reason)
{
    static const struct {
        const char *text, *code, *message;
    } cases[] = {
        {"", PART, "Recurrence has \"\": " LIKE},
        {"daily", PART, "Recurrence has \"daily\": " LIKE},
        {"FREQ=", PART, "Recurrence has \"FREQ=\": " LIKE},
        {"FREQ=DAILY;", PART, "Recurrence has \"\": " LIKE},
        {"FREQ=DAILY;;COUNT=1", PART, "Recurrence has \"\": " LIKE},
        {"RRULE:FREQ=DAILY", PART, "Recurrence has \"RRULE:FREQ=DAILY\": " NAMES},
        {"freq=DAILY", PART, "Recurrence has \"freq=DAILY\": " NAMES},
        {"FREQ=MONTHLY;BYMONTHDAY=31", PART, "Recurrence has \"BYMONTHDAY=31\": " NAMES},
        {"FREQ=WEEKLY;WKST=SU", PART, "Recurrence has \"WKST=SU\": " NAMES},
        {" FREQ=DAILY", PART, "Recurrence has \" FREQ=DAILY\": " NAMES},
        {"X=\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
         "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4.\xc3\xa4",
         PART,
         "Recurrence has \"X=\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
         "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4.\": " NAMES},
        {"INTERVAL=2", FREQ, "Recurrence has no FREQ: " FREQUENCIES},
        {"FREQ=HOURLY", FREQ, "Recurrence has \"FREQ=HOURLY\": " FREQUENCIES},
        {"FREQ=Daily", FREQ, "Recurrence has \"FREQ=Daily\": " FREQUENCIES},
        {"FREQ=DAILY,WEEKLY", FREQ, "Recurrence has \"FREQ=DAILY,WEEKLY\": " FREQUENCIES},
        {"FREQ=DAILY;FREQ=DAILY", FREQ, "Recurrence has FREQ twice: it must be given once"},
        {"FREQ=DAILY;INTERVAL=0", INTERVAL, "Recurrence has \"INTERVAL=0\": " NUMBER},
        {"FREQ=DAILY;INTERVAL=1000", INTERVAL, "Recurrence has \"INTERVAL=1000\": " NUMBER},
        {"FREQ=DAILY;INTERVAL=-1", INTERVAL, "Recurrence has \"INTERVAL=-1\": " NUMBER},
        {"FREQ=DAILY;INTERVAL=1.5", INTERVAL, "Recurrence has \"INTERVAL=1.5\": " NUMBER},
        {"FREQ=DAILY;INTERVAL=18446744073709551617", INTERVAL,
         "Recurrence has \"INTERVAL=18446744073709551617\": " NUMBER},
        {"INTERVAL=1;FREQ=DAILY;INTERVAL=1", INTERVAL, "Recurrence has INTERVAL twice: it must be given once"},
        {"FREQ=WEEKLY;BYDAY=XX", BYDAY, "Recurrence has \"BYDAY=XX\": " DAYS},
        {"FREQ=WEEKLY;BYDAY=mo", BYDAY, "Recurrence has \"BYDAY=mo\": " DAYS},
        {"FREQ=WEEKLY;BYDAY=MO,", BYDAY, "Recurrence has \"BYDAY=MO,\": " DAYS},
        {"FREQ=WEEKLY;BYDAY=1MO", BYDAY, "Recurrence has \"BYDAY=1MO\": " DAYS},
        {"FREQ=WEEKLY;BYDAY=MO;BYDAY=TU", BYDAY, "Recurrence has BYDAY twice: it must be given once"},
        {"FREQ=DAILY;BYDAY=MO", BYDAY, "Recurrence has BYDAY and FREQ=DAILY: BYDAY must be of FREQ=WEEKLY"},
        {"BYDAY=MO;FREQ=MONTHLY", BYDAY, "Recurrence has BYDAY and FREQ=MONTHLY: BYDAY must be of FREQ=WEEKLY"},
        {"FREQ=DAILY;COUNT=0", COUNT, "Recurrence has \"COUNT=0\": COUNT must be a number from 1 to 9999"},
        {"FREQ=DAILY;COUNT=10000", COUNT, "Recurrence has \"COUNT=10000\": COUNT must be a number from 1 to 9999"},
        {"FREQ=DAILY;COUNT=2;UNTIL=20271231", UNTIL, "Recurrence has COUNT and UNTIL: only one of them must be given"},
        {"FREQ=DAILY;UNTIL=2027-12-31", UNTIL, "Recurrence has \"UNTIL=2027-12-31\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20270229", UNTIL, "Recurrence has \"UNTIL=20270229\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20271301", UNTIL, "Recurrence has \"UNTIL=20271301\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20270100", UNTIL, "Recurrence has \"UNTIL=20270100\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20271231T180000", UNTIL, "Recurrence has \"UNTIL=20271231T180000\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20271231T240000Z", UNTIL, "Recurrence has \"UNTIL=20271231T240000Z\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20271231T236000Z", UNTIL, "Recurrence has \"UNTIL=20271231T236000Z\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20271231T235960Z", UNTIL, "Recurrence has \"UNTIL=20271231T235960Z\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20271231t180000Z", UNTIL, "Recurrence has \"UNTIL=20271231t180000Z\": " MOMENT},
        {"FREQ=DAILY;UNTIL=20271231 180000Z", UNTIL, "Recurrence has \"UNTIL=20271231 180000Z\": " MOMENT},
        {"FREQ=DAILY;UNTIL=+0271231", UNTIL, "Recurrence has \"UNTIL=+0271231\": " MOMENT},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct recurrence rule;
        struct recurrence_problem problem = {.code = "none"};
        cr_expect_not(recurrence_parse(bp_str_of(cases[i].text), &rule, &problem), "%s", cases[i].text);
        cr_expect_str_eq(problem.code, cases[i].code, "%s: %s", cases[i].text, problem.code);
        cr_expect_str_eq(problem.message, cases[i].message, "%s: %s", cases[i].text, problem.message);
    }
}
