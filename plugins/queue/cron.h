/* SPDX-License-Identifier: MIT */
/*
 * Times that come again and again, in UTC: the five fields of crontab(5), "minute hour day-of-month month day-of-week", with *, lists,
 * ranges, steps and the names of months and days; or "@every 30s", multiples of a duration since the epoch; or @hourly, @daily,
 * @weekly, @monthly, @yearly. As in crontab(5), where both days are restricted either of them matches.
 */
#ifndef QUEUE_CRON_H
#define QUEUE_CRON_H

#include <stdbool.h>

#include "backplane/clock.h"

struct cron {
    int64_t every;    /* milliseconds; 0: by the fields */
    uint64_t minutes; /* a bit each */
    uint32_t hours, days, months, weekdays;
    bool any_day, any_weekday;
};

/* NULL, or what is wrong with it: a static text. Pure. */
const char *cron_parse(const char *text, struct cron *ret_cron);
/* The first time after that one; 0 when there is none within nine years ("0 0 30 2 *"). Pure. */
bp_date cron_next(const struct cron *cron, bp_date after);

#endif
