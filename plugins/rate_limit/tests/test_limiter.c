/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sys/mman.h>

#include "limiter.h"

static struct table *new_table(void)
{
    struct table *table = mmap(NULL, table_size(64), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(table, MAP_FAILED);
    table_prepare(table, 64);
    return table;
}

/* 2 at once and 5 a minute: what one refuses, the other has not counted. */
Test(limiter, several_limits_count_together_or_not_at_all)
{
    for (int algorithm = ALGORITHM_SLIDING_WINDOW; algorithm <= ALGORITHM_GCRA; algorithm++) {
        struct limiter limiter = {
            .limits = {{.quota = 2, .burst = 2, .window = BP_SECOND}, {.quota = 5, .burst = 5, .window = BP_MINUTE}},
            .count = 2,
            .algorithm = (enum algorithm)algorithm,
            .table = new_table()};
        struct verdict verdicts[2];
        bool crowded;
        bp_time now = BP_HOUR;
        unsigned allowed = 0;
        for (unsigned i = 0; i < 10; i++) {
            limiter_take(&limiter, BP_STR("client"), 1, now, verdicts, &crowded);
            allowed += limiter_allows(verdicts, 2);
        }
        cr_assert_eq(allowed, 2);
        cr_assert_not(verdicts[0].allowed);
        cr_assert(verdicts[1].allowed);
        cr_assert_eq(verdicts[1].remaining, 3, "eight refusals cost the minute nothing");
        limiter_take(&limiter, BP_STR("other"), 1, now, verdicts, &crowded);
        cr_assert(limiter_allows(verdicts, 2));
        cr_assert_eq(verdicts[0].remaining, 1);
        cr_assert_eq(verdicts[1].remaining, 4);
        now += 5 * BP_SECOND;
        limiter_take(&limiter, BP_STR("client"), 2, now, verdicts, &crowded);
        cr_assert(limiter_allows(verdicts, 2));
        now += 5 * BP_SECOND;
        limiter_take(&limiter, BP_STR("client"), 2, now, verdicts, &crowded);
        cr_assert_not(limiter_allows(verdicts, 2));
        cr_assert(verdicts[0].allowed);
        cr_assert_eq(verdicts[0].remaining, 2, "taken back");
        cr_assert_not(verdicts[1].allowed);
        cr_assert_not(crowded);
    }
}

Test(limiter, the_message_is_the_one_that_clients_know)
{
    char text[LIMITER_MESSAGE];

    limiter_message(&(struct limit){.quota = 30, .window = BP_MINUTE}, text);
    cr_assert_str_eq(text, "Too many requests. Limit: 30 requests per 60000ms. Please try again later.");
    limiter_message(&(struct limit){.quota = 1000000000, .window = 366 * BP_DAY}, text);
    cr_assert_str_eq(text, "Too many requests. Limit: 1000000000 requests per 31622400000ms. Please try again later.");
}

Test(limiter, spans_are_rounded_up)
{
    static const struct {
        bp_span span;
        int64_t seconds, milliseconds;
    } cases[] = {{0, 0, 0},
                 {-5, 0, 0},
                 {1, 1, 1},
                 {BP_MILLISECOND, 1, 1},
                 {BP_MILLISECOND + 1, 1, 2},
                 {BP_SECOND, 1, 1000},
                 {BP_SECOND + 1, 2, 1001}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(limiter_seconds(cases[i].span), cases[i].seconds, "case %zu", i);
        cr_assert_eq(limiter_milliseconds(cases[i].span), cases[i].milliseconds, "case %zu", i);
    }
}
