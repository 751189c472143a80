/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <time.h>

#include "calendar.h"

/* Against the C library, day by day, over all centuries that count. */
Test(calendar, as_the_library_has_it)
{
    for (int64_t number = -719162; number <= 2932896; number += 13) { /* 0001-01-01 … 9999-12-31 */
        time_t seconds = (time_t)(number * (CALENDAR_DAY / 1000));
        struct tm tm;
        cr_assert_not_null(gmtime_r(&seconds, &tm));
        struct calendar_day day = calendar_day_of(number);
        cr_assert(day.year == tm.tm_year + 1900 && day.month == (unsigned)tm.tm_mon + 1 &&
                      day.day == (unsigned)tm.tm_mday,
                  "%lld", (long long)number);
        cr_assert_eq(calendar_number_of(&day), number);
        cr_assert_eq(calendar_weekday_of(number), (unsigned)(tm.tm_wday + 6) % 7, "%lld", (long long)number);
    }
}

Test(calendar, days_of_months)
{
    static const struct {
        int64_t year;
        unsigned month, days;
    } cases[] = {{2026, 1, 31}, {2026, 2, 28}, {2028, 2, 29},  {2100, 2, 28},
                 {2000, 2, 29}, {2026, 4, 30}, {2026, 12, 31}, {0, 2, 29}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(calendar_month_days(cases[i].year, cases[i].month), cases[i].days, "%zu", i);
}
