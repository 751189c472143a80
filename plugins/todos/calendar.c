/* SPDX-License-Identifier: MIT */
#include "calendar.h"

/* Years are counted from March on, so that a leap day is the last day of one; 400 of them have 146,097 days, and 719,468 days lie
 * between the first of March of the year 0 and 1970. */
#define ERA_DAYS 146097
#define EPOCH 719468

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned calendar_month_days(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int64_t calendar_number_of(const struct calendar_day *day)
{
    int64_t year = day->year - (day->month <= 2 ? 1 : 0);
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t month = (day->month + 9) % 12; /* 0: March */
    int64_t of_year = (153 * month + 2) / 5 + day->day - 1;
    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH;
}

struct calendar_day calendar_day_of(int64_t number)
{
    int64_t shifted = number + EPOCH;
    int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS, of_era = shifted - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA_DAYS - 1)) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0: March */
    struct calendar_day day = {.day = (unsigned)(of_year - (153 * month + 2) / 5 + 1),
                               .month = (unsigned)(month < 10 ? month + 3 : month - 9)};
    day.year = year + era * 400 + (day.month <= 2 ? 1 : 0);
    return day;
}

unsigned calendar_weekday_of(int64_t number)
{
    return (unsigned)(((number + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}
