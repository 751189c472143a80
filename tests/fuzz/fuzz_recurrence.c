/* SPDX-License-Identifier: MIT */
/* Any bytes as the recurrence of a todo: refused with a reason, or a rule that has one text and dates that only go forwards. */
#include <stdlib.h>
#include <string.h>

#include "plugins/todos/recurrence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool truth)
{
    if (!truth)
        abort();
}

static void walk(const struct recurrence *rule, bp_date from)
{
    struct recurrence left = *rule;
    bp_date next;
    for (unsigned i = 0; i < 50 && recurrence_next(&left, from, from, &next); i++, from = next) {
        check(next > from && next % 86400000 == from % 86400000);
        check(!left.ends || next <= left.until);
        check(left.count != 1);
        left.count -= left.count > 0 ? 1 : 0;
    }
}

/* Leaving out what has passed comes to the same as one date after the other. */
static void jump(const struct recurrence *rule, bp_date from, bp_date after)
{
    struct recurrence endless = *rule;
    bp_date next = from, jumped = from;
    bool more, found = recurrence_next(rule, from, after, &jumped);
    endless.count = rule->count == 1 ? 1 : 0;
    do
        more = recurrence_next(&endless, next, next, &next);
    while (more && next <= after);
    check(found == more && (!more || jumped == next));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recurrence rule, again;
    struct recurrence_problem problem = {.code = NULL};
    char space[RECURRENCE_MAX], space_again[RECURRENCE_MAX];
    bp_str text = bp_str_n((const char *)data, size);
    if (!recurrence_parse(text, &rule, &problem)) {
        check(problem.code && strlen(problem.message) < sizeof(problem.message));
        return 0;
    }
    bp_str kept = recurrence_format(&rule, space);
    check(kept.len < RECURRENCE_MAX && recurrence_parse(kept, &again, &problem));
    check(bp_str_eq(recurrence_format(&again, space_again), kept));
    walk(&rule, INT64_C(1795377319250));
    walk(&rule, INT64_C(1835395200000)); /* 29 February 2028 */
    jump(&rule, INT64_C(1835395200000), INT64_C(1835395200000) + (bp_date)size * INT64_C(99999999999));
    return 0;
}
