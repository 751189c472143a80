/* SPDX-License-Identifier: MIT */
#include "cron.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define EVERY_MAX (366 * DAY_MS)
#define YEARS 9 /* from one 29 February to the next, at most */

struct part {
    unsigned min, max;
    const char *const *names; /* of min, min + 1 … */
    unsigned name_count;
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
static const struct part parts[5] = {
    {0, 59, NULL, 0}, {0, 23, NULL, 0}, {1, 31, NULL, 0}, {1, 12, month_names, 12}, {0, 7, weekday_names, 7}};

static bool read_number(const char **at, unsigned *ret_number)
{
    unsigned number = 0, digits = 0;
    for (; isdigit((unsigned char)**at) && digits < 4; (*at)++, digits++)
        number = number * 10 + (unsigned)(**at - '0');
    *ret_number = number;
    return digits > 0 && !isdigit((unsigned char)**at);
}

static bool read_value(const char **at, const struct part *part, unsigned *ret_value)
{
    for (unsigned i = 0; i < part->name_count; i++) {
        if (strncasecmp(*at, part->names[i], 3) == 0) {
            *at += 3;
            *ret_value = part->min + i;
            return true;
        }
    }
    return read_number(at, ret_value) && *ret_value >= part->min && *ret_value <= part->max;
}

/* One item of a list: "*", "5", "1-5", and a step behind it. */
static bool read_item(const char **at, const struct part *part, uint64_t *bits)
{
    unsigned first = part->min, last = part->max, step = 1;
    bool single = false;
    if (**at == '*') {
        (*at)++;
    } else {
        if (!read_value(at, part, &first))
            return false;
        last = first;
        single = **at != '-';
        if (!single) {
            (*at)++;
            if (!read_value(at, part, &last) || last < first)
                return false;
        }
    }
    if (**at == '/') {
        (*at)++;
        if (!read_number(at, &step) || step == 0)
            return false;
        if (single)
            last = part->max;
    }
    for (unsigned value = first; value <= last; value += step)
        *bits |= UINT64_C(1) << value;
    return true;
}

static bool read_part(const char **at, const struct part *part, uint64_t *ret_bits)
{
    *ret_bits = 0;
    while (read_item(at, part, ret_bits)) {
        if (**at != ',')
            return true;
        (*at)++;
    }
    return false;
}

static const char *parse_every(const char *text, struct cron *cron)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", MINUTE_MS}, {"h", 60 * MINUTE_MS}, {"d", DAY_MS}};
    int64_t number = 0;
    if (!isdigit((unsigned char)*text))
        return "needs a duration such as 30s behind @every";
    for (; isdigit((unsigned char)*text); text++)
        number = number <= EVERY_MAX ? number * 10 + (*text - '0') : number;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(text, units[i].unit) == 0)
            cron->every = number <= EVERY_MAX / units[i].ms ? number * units[i].ms : EVERY_MAX + 1;
    if (cron->every == 0)
        return "needs a duration such as 30s behind @every";
    return cron->every < 100 || cron->every > EVERY_MAX ? "must be from 100ms to 366d" : NULL;
}

static const char *parse_fields(const char *text, struct cron *cron)
{
    uint64_t bits[5];
    for (unsigned i = 0; i < 5; i++) {
        if (i == 2)
            cron->any_day = *text == '*';
        if (i == 4)
            cron->any_weekday = *text == '*';
        if (!read_part(&text, &parts[i], &bits[i]))
            return "has a field that is none of crontab's";
        if (*text != ' ' && (i < 4 || *text))
            return "needs five fields: minute, hour, day, month, day of the week";
        while (*text == ' ')
            text++;
    }
    if (*text)
        return "needs five fields: minute, hour, day, month, day of the week";
    cron->minutes = bits[0];
    cron->hours = (uint32_t)bits[1];
    cron->days = (uint32_t)bits[2];
    cron->months = (uint32_t)bits[3];
    cron->weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f); /* 7 is Sunday, too */
    return NULL;
}

const char *cron_parse(const char *text, struct cron *ret_cron)
{
    static const struct {
        const char *name, *fields;
    } names[] = {{"@hourly", "0 * * * *"},
                 {"@daily", "0 0 * * *"},
                 {"@weekly", "0 0 * * 0"},
                 {"@monthly", "0 0 1 * *"},
                 {"@yearly", "0 0 1 1 *"}};
    struct cron cron = {0};
    const char *problem;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(text, names[i].name) == 0)
            text = names[i].fields;
    if (strncmp(text, "@every ", 7) == 0)
        problem = parse_every(text + 7, &cron);
    else
        problem = parse_fields(text, &cron);
    if (!problem && cron.every == 0 && cron_next(&cron, 0) == 0)
        problem = "names a day that no month has";
    if (!problem)
        *ret_cron = cron;
    return problem;
}

static bool day_matches(const struct cron *cron, const struct tm *tm)
{
    bool day = cron->days >> tm->tm_mday & 1, weekday = cron->weekdays >> tm->tm_wday & 1;
    if (!(cron->months >> (tm->tm_mon + 1) & 1))
        return false;
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

bp_date cron_next(const struct cron *cron, bp_date after)
{
    if (cron->every > 0)
        return (after / cron->every + 1) * cron->every;
    bp_date minute = (after / MINUTE_MS + 1) * MINUTE_MS;
    for (unsigned days = 0; days < YEARS * 366; days++, minute = (minute / DAY_MS + 1) * DAY_MS) {
        time_t seconds = (time_t)(minute / 1000);
        struct tm tm;
        if (!gmtime_r(&seconds, &tm) || !day_matches(cron, &tm))
            continue;
        bp_date end = (minute / DAY_MS + 1) * DAY_MS;
        for (bp_date at = minute; at < end; at += MINUTE_MS) {
            unsigned of_day = (unsigned)(at % DAY_MS / MINUTE_MS);
            if ((cron->hours >> (of_day / 60) & 1) && (cron->minutes >> (of_day % 60) & 1))
                return at;
        }
    }
    return 0;
}
