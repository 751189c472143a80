/* SPDX-License-Identifier: MIT */
#include "recurrence.h"

#include "calendar.h"

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

/* The first one behind `last`, which is not before day. Whole periods are jumped over: from day on it may be a million weeks. */
static int64_t weeks_ahead(const struct recurrence *rule, int64_t day, int64_t last)
{
    int64_t period = 7 * (int64_t)rule->interval;
    day += (last - day) / period * period;
    while (day <= last)
        day += days_ahead(rule, calendar_weekday_of(day));
    return day;
}

/* The same day of a later month that has it, behind `last`; a day beyond the year 9999 when there is none. */
static int64_t months_ahead(int64_t day, uint32_t months, int64_t last)
{
    const struct calendar_day from = calendar_day_of(day), to = calendar_day_of(last);
    int64_t month = from.month - 1, passed = (to.year - from.year) * 12 + to.month - from.month;
    struct calendar_day at = from;
    for (month += passed / months * months;; month += months) {
        at.year = from.year + month / 12;
        at.month = (unsigned)(month % 12) + 1;
        if (at.year > 9999)
            return BP_DATE_LAST / CALENDAR_DAY + 1;
        if (calendar_month_days(at.year, at.month) >= at.day && calendar_number_of(&at) > last)
            return calendar_number_of(&at);
    }
}

bool recurrence_next(const struct recurrence *rule, bp_date from, bp_date after, bp_date *ret_next)
{
    int64_t day = floor_divide(from, CALENDAR_DAY), time = from - day * CALENDAR_DAY;
    if (rule->count == 1 || after > BP_DATE_LAST)
        return false;
    int64_t last =
        after > from ? floor_divide(after - time, CALENDAR_DAY) : day; /* at that time of day it is too early */
    switch (rule->frequency) {
    case RECURRENCE_DAILY:
        day += ((last - day) / rule->interval + 1) * rule->interval;
        break;
    case RECURRENCE_WEEKLY:
        day = weeks_ahead(rule, day, last);
        break;
    case RECURRENCE_MONTHLY:
        day = months_ahead(day, rule->interval, last);
        break;
    case RECURRENCE_YEARLY:
        day = months_ahead(day, 12 * rule->interval, last);
        break;
    }
    bp_date next = day * CALENDAR_DAY + time;
    if (next > BP_DATE_LAST || (rule->ends && next > rule->until))
        return false;
    *ret_next = next;
    return true;
}
