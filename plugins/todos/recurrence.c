/* SPDX-License-Identifier: MIT */
#include "recurrence.h"

#include "calendar.h"

#define LAST_DATE INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Days to the next one of the rule, whose weeks begin on Monday; weekday: 0 is Monday. */
static int64_t days_ahead(const struct recurrence *rule, unsigned weekday)
{
    uint32_t later = rule->days >> (weekday + 1);
    if (rule->days == 0)
        return 7 * (int64_t)rule->interval;
    if (later != 0)
        return 1 + __builtin_ctz(later);
    return 7 * (int64_t)rule->interval - weekday + __builtin_ctz(rule->days);
}

/* The same day of a later month that has it; a day beyond the year 9999 when there is none. */
static int64_t months_ahead(int64_t day, uint32_t months)
{
    struct calendar_day at = calendar_day_of(day);
    unsigned wanted = at.day;
    do {
        unsigned month = at.month - 1 + months;
        at.year += (int64_t)month / 12;
        at.month = month % 12 + 1;
    } while (at.year <= 9999 && calendar_month_days(at.year, at.month) < wanted);
    at.day = wanted;
    return at.year > 9999 ? LAST_DATE / CALENDAR_DAY + 1 : calendar_number_of(&at);
}

bool recurrence_next(const struct recurrence *rule, bp_date from, bp_date *ret_next)
{
    int64_t day = floor_divide(from, CALENDAR_DAY), time = from - day * CALENDAR_DAY;
    if (rule->count == 1)
        return false;
    switch (rule->frequency) {
    case RECURRENCE_DAILY:
        day += rule->interval;
        break;
    case RECURRENCE_WEEKLY:
        day += days_ahead(rule, calendar_weekday_of(day));
        break;
    case RECURRENCE_MONTHLY:
        day = months_ahead(day, rule->interval);
        break;
    case RECURRENCE_YEARLY:
        day = months_ahead(day, 12 * rule->interval);
        break;
    }
    bp_date next = day * CALENDAR_DAY + time;
    if (next > LAST_DATE || (rule->ends && next > rule->until))
        return false;
    *ret_next = next;
    return true;
}
