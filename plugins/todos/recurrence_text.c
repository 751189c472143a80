/* SPDX-License-Identifier: MIT */
/* A rule from and to its text. */
#include <stdarg.h>
#include <stdio.h>

#include "calendar.h"
#include "recurrence.h"

#define INTERVAL_MAX 999u
#define COUNT_MAX 9999u
#define QUOTED_MAX 40u

static const char *const frequencies[] = {[RECURRENCE_DAILY] = "DAILY",
                                          [RECURRENCE_WEEKLY] = "WEEKLY",
                                          [RECURRENCE_MONTHLY] = "MONTHLY",
                                          [RECURRENCE_YEARLY] = "YEARLY"};
static const char *const weekdays[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

#define DAY "(MO|TU|WE|TH|FR|SA|SU)"
const char *const recurrence_patterns[] = {
    "^((FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)|INTERVAL=0*[1-9][0-9]{0,2}|BYDAY=" DAY "(," DAY ")*|COUNT=0*[1-9][0-9]{0,3}|"
    "UNTIL=[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z)?)(;(?=.)|$))+$",
    "^(?=.*FREQ=)(?!.*(FREQ|INTERVAL|BYDAY)=.*\\1=)(?!.*(COUNT|UNTIL)=.*(COUNT|UNTIL)=)", "^(?!.*BYDAY)|FREQ=WEEKLY",
    NULL};

enum part { PART_FREQ, PART_INTERVAL, PART_BYDAY, PART_COUNT, PART_UNTIL, PARTS };

/* value is not empty; false when it is not one of this part's. */
static bool parse_freq(bp_str value, struct recurrence *rule)
{
    for (unsigned i = 0; i < 4; i++)
        if (bp_str_is(value, frequencies[i])) {
            rule->frequency = (enum recurrence_frequency)i;
            return true;
        }
    return false;
}

static bool parse_number(bp_str value, uint32_t max, uint32_t *ret_number)
{
    uint64_t number;
    if (!bp_str_to_u64(value, &number) || number < 1 || number > max)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

static bool parse_interval(bp_str value, struct recurrence *rule)
{
    return parse_number(value, INTERVAL_MAX, &rule->interval);
}

static bool parse_count(bp_str value, struct recurrence *rule)
{
    return parse_number(value, COUNT_MAX, &rule->count);
}

static bool parse_weekday(bp_str value, struct recurrence *rule)
{
    for (unsigned i = 0; i < 7; i++)
        if (bp_str_is(value, weekdays[i])) {
            rule->days |= 1u << i;
            return true;
        }
    return false;
}

static bool parse_byday(bp_str value, struct recurrence *rule)
{
    bp_str day;
    while (bp_str_next(&value, ',', &day))
        if (!parse_weekday(day, rule))
            return false;
    return true;
}

/* So many digits; -1 when they are none. */
static int64_t digits(const char *text, unsigned count)
{
    uint64_t number;
    return bp_str_to_u64(bp_str_n(text, count), &number) ? (int64_t)number : -1;
}

/* 20271231, all of that day, or 20271231T180000Z. */
static bool parse_until(bp_str value, struct recurrence *rule)
{
    bool has_time = value.len == 16;
    if (value.len != 8 && !(has_time && value.ptr[8] == 'T' && value.ptr[15] == 'Z'))
        return false;
    int64_t year = digits(value.ptr, 4), month = digits(value.ptr + 4, 2), day = digits(value.ptr + 6, 2);
    int64_t hour = has_time ? digits(value.ptr + 9, 2) : 23, minute = has_time ? digits(value.ptr + 11, 2) : 59;
    int64_t second = has_time ? digits(value.ptr + 13, 2) : 59;
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > calendar_month_days(year, (unsigned)month))
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    struct calendar_day at = {.year = year, .month = (unsigned)month, .day = (unsigned)day};
    rule->until = calendar_number_of(&at) * CALENDAR_DAY + ((hour * 60 + minute) * 60 + second) * 1000;
    rule->ends = true;
    return true;
}

static const struct {
    const char *name, *code;
    const char *right; /* what would be */
    bool (*parse)(bp_str value, struct recurrence *rule);
} parts[PARTS] = {
    [PART_FREQ] = {"FREQ", "recurrence.freq", "must be DAILY, WEEKLY, MONTHLY or YEARLY", parse_freq},
    [PART_INTERVAL] = {"INTERVAL", "recurrence.interval", "must be a number from 1 to 999", parse_interval},
    [PART_BYDAY] = {"BYDAY", "recurrence.byday", "must be some of MO, TU, WE, TH, FR, SA and SU, separated by commas",
                    parse_byday},
    [PART_COUNT] = {"COUNT", "recurrence.count", "must be a number from 1 to 9999", parse_count},
    [PART_UNTIL] = {"UNTIL", "recurrence.until", "must be a day like 20271231 or a moment in UTC like 20271231T180000Z",
                    parse_until},
};

static bool refuse(struct recurrence_problem *problem, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(struct recurrence_problem *problem, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    problem->code = code;
    (void)vsnprintf(problem->message, sizeof(problem->message), format, arguments);
    va_end(arguments);
    return false;
}

static bool parse_part(bp_str part, struct recurrence *rule, unsigned *seen, struct recurrence_problem *problem)
{
    bp_str value = part, shown = bp_utf8_cut(part, QUOTED_MAX), name;
    (void)bp_str_next(&value, '=', &name);
    if (value.len == 0)
        return refuse(problem, "recurrence.part", "Recurrence has \"%" BP_STR_FMT "\": a part must be like FREQ=WEEKLY",
                      BP_STR_ARG(shown));
    for (unsigned i = 0; i < PARTS; i++) {
        if (!bp_str_is(name, parts[i].name))
            continue;
        if (*seen & 1u << i)
            return refuse(problem, parts[i].code, "Recurrence has %s twice: it must be given once", parts[i].name);
        *seen |= 1u << i;
        if (!parts[i].parse(value, rule))
            return refuse(problem, parts[i].code, "Recurrence has \"%" BP_STR_FMT "\": %s %s", BP_STR_ARG(shown),
                          parts[i].name, parts[i].right);
        return true;
    }
    return refuse(problem, "recurrence.part",
                  "Recurrence has \"%" BP_STR_FMT "\": its parts must be among FREQ, INTERVAL, BYDAY, COUNT and UNTIL",
                  BP_STR_ARG(shown));
}

bool recurrence_parse(bp_str text, struct recurrence *ret_rule, struct recurrence_problem *ret_problem)
{
    struct recurrence rule = {.interval = 1};
    unsigned seen = 0;
    bp_str part;
    while (bp_str_next(&text, ';', &part))
        if (!parse_part(part, &rule, &seen, ret_problem))
            return false;
    if (!(seen & 1u << PART_FREQ))
        return refuse(ret_problem, "recurrence.freq",
                      "Recurrence has no FREQ: FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY");
    if (rule.days != 0 && rule.frequency != RECURRENCE_WEEKLY)
        return refuse(ret_problem, "recurrence.byday", "Recurrence has BYDAY and FREQ=%s: BYDAY must be of FREQ=WEEKLY",
                      frequencies[rule.frequency]);
    if (rule.count > 0 && rule.ends)
        return refuse(ret_problem, "recurrence.until",
                      "Recurrence has COUNT and UNTIL: only one of them must be given");
    *ret_rule = rule;
    return true;
}

bp_str recurrence_format(const struct recurrence *rule, char space[RECURRENCE_MAX])
{
    int len = snprintf(space, RECURRENCE_MAX, "FREQ=%s", frequencies[rule->frequency]);
    if (rule->interval != 1)
        len += snprintf(space + len, RECURRENCE_MAX - (size_t)len, ";INTERVAL=%u", rule->interval);
    for (unsigned i = 0, before = 0; i < 7; i++)
        if (rule->days & 1u << i)
            len += snprintf(space + len, RECURRENCE_MAX - (size_t)len, "%s%s",
                            before++ > 0 ? "," : ";BYDAY=", weekdays[i]);
    if (rule->count > 0)
        len += snprintf(space + len, RECURRENCE_MAX - (size_t)len, ";COUNT=%u", rule->count);
    if (rule->ends) {
        char date[BP_DATE_LEN];
        bp_date_format(rule->until, date);
        len += snprintf(space + len, RECURRENCE_MAX - (size_t)len, ";UNTIL=%.4s%.2s%.3s%.2s%.2s%.2sZ", date, date + 5,
                        date + 8, date + 11, date + 14, date + 17); /* the day and the "T" behind it at once */
    }
    return bp_str_n(space, (size_t)len);
}
