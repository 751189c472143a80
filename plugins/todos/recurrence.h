/* SPDX-License-Identifier: MIT */
/*
 * When a todo comes back: the part of RFC 5545's RRULE that todos have. All in UTC; the date that the rule starts from is the todo's own. Pure.
 *
 *     FREQ=DAILY|WEEKLY|MONTHLY|YEARLY  [;INTERVAL=1…999]  [;BYDAY=MO,…,SU of WEEKLY]  [;COUNT=1…9999 | ;UNTIL=20271231[T235959Z]]
 */
#ifndef TODOS_RECURRENCE_H
#define TODOS_RECURRENCE_H

#include "backplane/clock.h"

enum recurrence_frequency { RECURRENCE_DAILY, RECURRENCE_WEEKLY, RECURRENCE_MONTHLY, RECURRENCE_YEARLY };

struct recurrence {
    enum recurrence_frequency frequency;
    uint32_t interval;
    uint32_t days;  /* bit 0: Monday … bit 6: Sunday; 0: the weekday that it starts from */
    uint32_t count; /* occurrences that are left, the present one included; 0: no end by number */
    bool ends;      /* not after until */
    bp_date until;
};

/* Why a text is no rule. */
struct recurrence_problem {
    const char *code;  /* "recurrence.interval" */
    char message[200]; /* "Recurrence has INTERVAL=0: INTERVAL must be a number from 1 to 999" */
};

#define RECURRENCE_MAX 128u /* bytes that recurrence_format() writes at most, with the NUL */

/* Parts in any order. False, with why, when it is not such a rule. */
bool recurrence_parse(bp_str text, struct recurrence *ret_rule, struct recurrence_problem *ret_problem);
/* Almost the same as regular expressions, for documents: they know no months of 30 days. */
extern const char *const recurrence_patterns[];
/* The one way to write it: parts in the order above, days from Monday on, UNTIL to the second, nothing that goes without saying. */
bp_str recurrence_format(const struct recurrence *rule, char space[RECURRENCE_MAX]);
/*
 * The first date of the rule after from that is also later than `after` (from, for the next one). from is one of the rule's dates or, of a rule with days, may
 * be before the first of them; the time of day stays. COUNT counts as one what is left out. A date that a month or year does not have (the 31st, 29 February) is left out, as RFC 5545 (3.3.10) demands, never moved. False when the rule has
 * ended: that was the last of COUNT, or the next would be after UNTIL or the year 9999.
 */
bool recurrence_next(const struct recurrence *rule, bp_date from, bp_date after, bp_date *ret_next);

#endif
