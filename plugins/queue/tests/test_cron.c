/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "backplane/backplane.h"
#include "cron.h"

static bp_date date(const char *text)
{
    bp_date at = 0;
    cr_assert(bp_date_parse(bp_str_of(text), &at), "%s", text);
    return at;
}

Test(cron, next)
{
    static const struct {
        const char *cron, *after, *next;
    } cases[] = {
        {"* * * * *", "2026-11-23T07:00:00.000Z", "2026-11-23T07:01:00.000Z"},
        {"* * * * *", "2026-11-23T07:00:59.999Z", "2026-11-23T07:01:00.000Z"},
        {"15 3 * * *", "2026-11-23T03:14:59.999Z", "2026-11-23T03:15:00.000Z"},
        {"15 3 * * *", "2026-11-23T03:15:00.000Z", "2026-11-24T03:15:00.000Z"},
        {"*/20 * * * *", "2026-12-31T23:41:00.000Z", "2027-01-01T00:00:00.000Z"},
        {"5/20 * * * *", "2026-01-01T00:05:00.000Z", "2026-01-01T00:25:00.000Z"},
        {"10-30/10,59 8-9 * * *", "2026-01-01T08:30:00.000Z", "2026-01-01T08:59:00.000Z"},
        {"10-30/10,59 8-9 * * *", "2026-01-01T09:59:00.000Z", "2026-01-02T08:10:00.000Z"},
        {"0 0 31 * *", "2026-04-01T00:00:00.000Z", "2026-05-31T00:00:00.000Z"},
        {"0 0 29 2 *", "2026-01-01T00:00:00.000Z", "2028-02-29T00:00:00.000Z"},
        {"0 0 29 feb *", "2096-02-29T00:00:00.000Z", "2104-02-29T00:00:00.000Z"},
        {"0 12 * * mon-fri", "2026-11-20T12:00:00.000Z", "2026-11-23T12:00:00.000Z"},
        {"0 12 * * 7", "2026-11-23T00:00:00.000Z", "2026-11-29T12:00:00.000Z"},
        {"0 12 * * 0", "2026-11-23T00:00:00.000Z", "2026-11-29T12:00:00.000Z"},
        {"0 0 13 * fri", "2026-11-13T00:00:00.000Z", "2026-11-20T00:00:00.000Z"}, /* either */
        {"0 0 13 * fri", "2026-12-11T00:00:00.000Z", "2026-12-13T00:00:00.000Z"},
        {"0 0 */2 * fri", "2026-11-23T00:00:00.000Z", "2026-11-27T00:00:00.000Z"}, /* both */
        {"0 0 * JAN,jul *", "2026-01-31T00:00:00.000Z", "2026-07-01T00:00:00.000Z"},
        {"@hourly", "2026-11-23T07:59:00.000Z", "2026-11-23T08:00:00.000Z"},
        {"@daily", "2026-11-23T07:59:00.000Z", "2026-11-24T00:00:00.000Z"},
        {"@weekly", "2026-11-23T07:59:00.000Z", "2026-11-29T00:00:00.000Z"},
        {"@monthly", "2026-11-23T07:59:00.000Z", "2026-12-01T00:00:00.000Z"},
        {"@yearly", "2026-11-23T07:59:00.000Z", "2027-01-01T00:00:00.000Z"},
        {"@every 30s", "2026-11-23T07:59:30.000Z", "2026-11-23T08:00:00.000Z"},
        {"@every 30s", "2026-11-23T07:59:29.999Z", "2026-11-23T07:59:30.000Z"},
        {"@every 250ms", "2026-11-23T07:59:29.900Z", "2026-11-23T07:59:30.000Z"},
        {"@every 2h", "2026-11-23T07:59:29.900Z", "2026-11-23T08:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cron cron;
        char text[BP_DATE_LEN + 1] = "";
        cr_assert_null(cron_parse(cases[i].cron, &cron), "%s", cases[i].cron);
        bp_date_format(cron_next(&cron, date(cases[i].after)), text);
        cr_expect_str_eq(text, cases[i].next, "%s after %s: %s", cases[i].cron, cases[i].after, text);
    }
}

Test(cron, refused)
{
    static const char field[] = "has a field that is none of crontab's";
    static const char fields[] = "needs five fields: minute, hour, day, month, day of the week";
    static const char every[] = "needs a duration such as 30s behind @every";
    static const struct {
        const char *cron, *why;
    } cases[] = {{"", field},
                 {"* * * *", fields},
                 {"* * * * * *", fields},
                 {"* * * * *x", fields},
                 {"60 * * * *", field},
                 {"* 24 * * *", field},
                 {"* * 0 * *", field},
                 {"* * 32 * *", field},
                 {"* * * 13 *", field},
                 {"* * * * 8", field},
                 {"5-1 * * * *", field},
                 {"*/0 * * * *", field},
                 {"1, * * * *", field},
                 {"-1 * * * *", field},
                 {"99999999999 * * * *", field},
                 {"* * * foo *", field},
                 {"0 0 30 2 *", "names a day that no month has"},
                 {"@never", field},
                 {"@every ", every},
                 {"@every x", every},
                 {"@every 5", every},
                 {"@every 5w", every},
                 {"@every 0s", every},
                 {"@every 99ms", "must be from 100ms to 366d"},
                 {"@every 367d", "must be from 100ms to 366d"},
                 {"@every 99999999999999999999d", "must be from 100ms to 366d"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cron cron = {.every = 77};
        const char *why = cron_parse(cases[i].cron, &cron);
        cr_expect_str_eq(why ? why : "(nothing)", cases[i].why, "%s: %s", cases[i].cron, why ? why : "(nothing)");
        cr_expect_eq(cron.every, 77, "%s", cases[i].cron);
    }
}
