/* SPDX-License-Identifier: MIT */
/* Days of the Gregorian calendar, by a number that is 0 on 1970-01-01. Pure. */
#ifndef TODOS_CALENDAR_H
#define TODOS_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define CALENDAR_DAY INT64_C(86400000) /* milliseconds */

struct calendar_day {
    int64_t year;
    unsigned month, day; /* from 1 on */
};

/* 28 to 31. */
unsigned calendar_month_days(int64_t year, unsigned month);
/* There and back, for years 0 to 9999. */
int64_t calendar_number_of(const struct calendar_day *day);
struct calendar_day calendar_day_of(int64_t number);
/* 0: Monday. */
unsigned calendar_weekday_of(int64_t number);

#endif
