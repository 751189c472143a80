/* SPDX-License-Identifier: MIT */
/* Dates as RFC 3339 text. The calendar is Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms". */
#include "backplane/clock.h"

#define DAY_MS INT64_C(86400000)
#define FIRST_DATE INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void put(char *text, int digits, int64_t value)
{
    while (digits-- > 0) {
        text[digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void format(bp_date date, char ret_text[BP_DATE_LEN])
{
    int64_t days, ms, era, day_of_era, year_of_era, day_of_year, shifted, month;
    days = date / DAY_MS - (date % DAY_MS < 0);
    ms = date - days * DAY_MS;
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    shifted = (5 * day_of_year + 2) / 153;
    month = shifted < 10 ? shifted + 3 : shifted - 9;
    memcpy(ret_text, "0000-00-00T00:00:00.000Z", BP_DATE_LEN);
    put(ret_text, 4, year_of_era + era * 400 + (month <= 2));
    put(ret_text + 5, 2, month);
    put(ret_text + 8, 2, day_of_year - (153 * shifted + 2) / 5 + 1);
    put(ret_text + 11, 2, ms / 3600000);
    put(ret_text + 14, 2, ms / 60000 % 60);
    put(ret_text + 17, 2, ms / 1000 % 60);
}

/* Of neighbours in time only the milliseconds differ: what is before them is kept. */
void bp_date_format(bp_date date, char ret_text[BP_DATE_LEN])
{
    static _Thread_local struct {
        bp_date begin; /* of a second */
        char text[BP_DATE_LEN];
    } last = {.begin = INT64_MIN};
    date = date < FIRST_DATE ? FIRST_DATE : date > BP_DATE_LAST ? BP_DATE_LAST : date;
    uint64_t ms = (uint64_t)date - (uint64_t)last.begin;
    if (ms >= 1000) {
        ms = (uint64_t)(date % 1000 + (date % 1000 < 0 ? 1000 : 0));
        last.begin = date - (bp_date)ms;
        format(last.begin, last.text);
    }
    memcpy(ret_text, last.text, BP_DATE_LEN);
    ret_text[20] = (char)('0' + ms / 100);
    ret_text[21] = (char)('0' + ms / 10 % 10);
    ret_text[22] = (char)('0' + ms % 10);
}

static bool digits_at(bp_str text, size_t at, size_t count, int *ret_value)
{
    int value = 0;
    if (at + count > text.len)
        return false;
    for (size_t i = at; i < at + count; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (text.ptr[i] - '0');
    }
    *ret_value = value;
    return true;
}

static bool is_at(bp_str text, size_t at, char c)
{
    return at < text.len && text.ptr[at] == c;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* time-secfrac: a dot and at least one digit; what is finer than a millisecond is cut off. */
static bool parse_fraction(bp_str text, size_t *at, int *ret_ms)
{
    int ms = 0, scale = 100;
    size_t i = *at;
    if (is_at(text, i, '.')) {
        for (i++; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
            ms += (text.ptr[i] - '0') * scale;
            scale /= 10;
        }
        if (i == *at + 1)
            return false;
    }
    *at = i;
    *ret_ms = ms;
    return true;
}

/* time-offset, up to the end of the text: "Z" or "+hh:mm" or "-hh:mm". */
static bool parse_offset(bp_str text, size_t at, int *ret_minutes)
{
    int hours, minutes;
    if (at + 1 == text.len && (text.ptr[at] == 'Z' || text.ptr[at] == 'z')) {
        *ret_minutes = 0;
        return true;
    }
    if (text.len != at + 6 || !(is_at(text, at, '+') || is_at(text, at, '-')) || !is_at(text, at + 3, ':'))
        return false;
    if (!digits_at(text, at + 1, 2, &hours) || !digits_at(text, at + 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = (hours * 60 + minutes) * (text.ptr[at] == '-' ? -1 : 1);
    return true;
}

bool bp_date_parse(bp_str text, bp_date *ret_date)
{
    int year, month, day, hour, minute, second, ms, offset;
    size_t at = 19;
    bp_date date;
    if (!digits_at(text, 0, 4, &year) || !is_at(text, 4, '-') || !digits_at(text, 5, 2, &month) ||
        !is_at(text, 7, '-') || !digits_at(text, 8, 2, &day) || !(is_at(text, 10, 'T') || is_at(text, 10, 't')) ||
        !digits_at(text, 11, 2, &hour) || !is_at(text, 13, ':') || !digits_at(text, 14, 2, &minute) ||
        !is_at(text, 16, ':') || !digits_at(text, 17, 2, &second))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (!parse_fraction(text, &at, &ms) || !parse_offset(text, at, &offset))
        return false;
    if (second == 60)
        second = 59;
    date = days_of(year, month, day) * DAY_MS + hour * INT64_C(3600000) + (minute - offset) * INT64_C(60000) +
           second * INT64_C(1000) + ms;
    /* An offset can move it out of the years that text can hold. */
    if (date < FIRST_DATE || date > BP_DATE_LAST)
        return false;
    *ret_date = date;
    return true;
}
