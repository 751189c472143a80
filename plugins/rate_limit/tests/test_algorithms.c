/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "gcra.h"
#include "sliding_window.h"

#define MINUTE BP_MINUTE
#define START ((bp_time)1000 * BP_HOUR) /* any time but 0 */

static const struct limit thirty = {.quota = 30, .burst = 30, .window = MINUTE};

static unsigned burst_window(struct sliding_window *state, const struct limit *limit, bp_time now, unsigned tries)
{
    struct verdict verdict;
    unsigned allowed = 0;
    for (unsigned i = 0; i < tries; i++) {
        sliding_window_take(state, limit, 1, now, &verdict);
        allowed += verdict.allowed;
    }
    return allowed;
}

static unsigned burst_gcra(struct gcra *state, const struct limit *limit, bp_time now, unsigned tries)
{
    struct verdict verdict;
    unsigned allowed = 0;
    for (unsigned i = 0; i < tries; i++) {
        gcra_take(state, limit, 1, now, &verdict);
        allowed += verdict.allowed;
    }
    return allowed;
}

Test(sliding_window, a_burst_of_the_quota_passes_and_nothing_trickles_back)
{
    struct sliding_window state = {0};
    struct verdict verdict;

    for (uint32_t i = 0; i < 30; i++) {
        sliding_window_take(&state, &thirty, 1, START, &verdict);
        cr_assert(verdict.allowed);
        cr_assert_eq(verdict.remaining, 29 - i);
        cr_assert_eq(verdict.reset_in, MINUTE);
        cr_assert_eq(verdict.retry_in, 0);
    }
    for (bp_span passed = 0; passed < MINUTE; passed += BP_SECOND) {
        sliding_window_take(&state, &thirty, 1, START + passed, &verdict);
        cr_assert_not(verdict.allowed, "after %lld s", (long long)(passed / BP_SECOND));
        cr_assert_eq(verdict.remaining, 0);
        cr_assert_eq(verdict.retry_in, MINUTE - passed + 1);
        cr_assert_eq(verdict.reset_in, MINUTE - passed + 1);
    }
    sliding_window_take(&state, &thirty, 1, START + MINUTE, &verdict);
    cr_assert_not(verdict.allowed);
    cr_assert_eq(verdict.retry_in, 1);
}

Test(sliding_window, the_promised_moment_is_the_first_that_passes)
{
    static const struct limit limits[] = {
        {.quota = 1, .window = MINUTE},       {.quota = 2, .window = MINUTE},
        {.quota = 7, .window = MINUTE + 1},   {.quota = 30, .window = MINUTE},
        {.quota = 1000, .window = BP_SECOND}, {.quota = 1000000000, .window = BP_SECOND},
        {.quota = 3, .window = BP_DAY},       {.quota = 1000000000, .window = 366 * BP_DAY}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        for (uint32_t earlier = 0; earlier <= 3; earlier++) {
            /* A full window behind, then a part of the current one. */
            struct sliding_window state = {.start = START,
                                           .previous = limits[i].quota,
                                           .current = earlier < limits[i].quota ? earlier : limits[i].quota};
            struct verdict verdict;
            sliding_window_take(&state, &limits[i], 1, START, &verdict);
            cr_assert_not(verdict.allowed);
            struct sliding_window before = state, at = state;
            struct verdict then;
            sliding_window_take(&before, &limits[i], 1, START + verdict.retry_in - 1, &then);
            cr_assert_not(then.allowed, "limit %zu, %u earlier: one too soon", i, earlier);
            sliding_window_take(&at, &limits[i], 1, START + verdict.retry_in, &then);
            cr_assert(then.allowed, "limit %zu, %u earlier: not at the moment promised", i, earlier);
        }
    }
}

Test(sliding_window, the_quota_comes_back_as_the_window_before_fades)
{
    struct sliding_window state = {0};

    cr_assert_eq(burst_window(&state, &thirty, START, 40), 30);
    cr_assert_eq(burst_window(&state, &thirty, START + MINUTE + 1, 40), 1);
    cr_assert_eq(burst_window(&state, &thirty, START + MINUTE + 2 * BP_SECOND, 40), 0);
    cr_assert_eq(burst_window(&state, &thirty, START + MINUTE + 2 * BP_SECOND + 1, 40), 1);
    cr_assert_eq(burst_window(&state, &thirty, START + MINUTE + 30 * BP_SECOND, 40), 13);
    cr_assert_eq(burst_window(&state, &thirty, START + 3 * MINUTE, 40), 30);
}

Test(sliding_window, windows_begin_with_the_client_and_not_with_the_clock)
{
    /* A burst at any offset within the wall clock's minute: refused for a whole minute. */
    for (bp_span offset = 0; offset < MINUTE; offset += 7 * BP_SECOND) {
        struct sliding_window state = {0};
        cr_assert_eq(burst_window(&state, &thirty, START + offset, 31), 30);
        cr_assert_eq(burst_window(&state, &thirty, START + offset + MINUTE - 1, 31), 0);
    }
}

Test(sliding_window, a_quiet_client_starts_anew)
{
    struct sliding_window state = {0};
    struct verdict verdict;

    cr_assert_eq(burst_window(&state, &thirty, START, 30), 30);
    bp_time expires = sliding_window_expires(&state, &thirty);
    cr_assert_eq(expires, START + 2 * MINUTE);
    sliding_window_take(&state, &thirty, 1, expires, &verdict);
    cr_assert(verdict.allowed);
    cr_assert_eq(verdict.remaining, 29);
    cr_assert_eq(verdict.reset_in, MINUTE);
    cr_assert_eq(state.start, expires);
}

Test(sliding_window, a_lowered_quota_and_an_older_clock_reading_do_no_harm)
{
    struct sliding_window state = {0};
    const struct limit lower = {.quota = 10, .window = MINUTE};
    struct verdict verdict;

    cr_assert_eq(burst_window(&state, &thirty, START, 30), 30);
    sliding_window_take(&state, &lower, 1, START + BP_SECOND, &verdict);
    cr_assert_not(verdict.allowed);
    cr_assert_eq(verdict.retry_in, 59 * BP_SECOND + 40 * BP_SECOND + 1);
    cr_assert_eq(verdict.reset_in, verdict.retry_in);
    sliding_window_take(&state, &thirty, 1, START - BP_SECOND, &verdict);
    cr_assert_not(verdict.allowed);
    cr_assert_eq(verdict.retry_in, MINUTE + 1);
}

Test(gcra, a_burst_of_the_quota_passes_and_comes_back_one_by_one)
{
    struct gcra state = {0};
    struct verdict verdict;

    for (uint32_t i = 0; i < 30; i++) {
        gcra_take(&state, &thirty, 1, START, &verdict);
        cr_assert(verdict.allowed);
        cr_assert_eq(verdict.remaining, 29 - i);
        cr_assert_eq(verdict.reset_in, (i + 1) * 2 * BP_SECOND);
    }
    gcra_take(&state, &thirty, 1, START, &verdict);
    cr_assert_not(verdict.allowed);
    cr_assert_eq(verdict.remaining, 0);
    cr_assert_eq(verdict.retry_in, 2 * BP_SECOND);
    cr_assert_eq(verdict.reset_in, MINUTE);
    cr_assert_eq(burst_gcra(&state, &thirty, START + 2 * BP_SECOND - 1, 5), 0);
    cr_assert_eq(burst_gcra(&state, &thirty, START + 2 * BP_SECOND, 5), 1);
    cr_assert_eq(burst_gcra(&state, &thirty, START + 62 * BP_SECOND, 40), 30);
}

Test(gcra, the_burst_is_the_quota_exactly_whatever_the_division_leaves)
{
    static const struct limit limits[] = {
        {7, 7, MINUTE}, {1, 1, BP_MILLISECOND}, {1000, 1000, 1999}, {999, 999, BP_SECOND}, {1000, 1000, 1000}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct gcra state = {0};
        cr_assert_eq(burst_gcra(&state, &limits[i], START, limits[i].quota + 10), limits[i].quota, "limit %zu", i);
        cr_assert_leq(gcra_expires(&state), START + limits[i].window);
    }
}

/* What costs more waits until there is room for all of it, and not longer. */
Test(sliding_window, a_cost_above_one)
{
    static const struct limit ten = {.quota = 10, .window = MINUTE};
    for (uint32_t cost = 1; cost <= 10; cost++)
        for (uint32_t earlier = 0; earlier <= 10; earlier++) {
            struct sliding_window state = {.start = START, .previous = 10, .current = earlier};
            struct verdict verdict, then;
            sliding_window_take(&state, &ten, cost, START, &verdict);
            cr_assert_not(verdict.allowed);
            cr_assert_eq(verdict.remaining, 0);
            struct sliding_window before = state, at = state;
            sliding_window_take(&before, &ten, cost, START + verdict.retry_in - 1, &then);
            cr_assert_not(then.allowed, "cost %u after %u: one too soon", cost, earlier);
            sliding_window_take(&at, &ten, cost, START + verdict.retry_in, &then);
            cr_assert(then.allowed, "cost %u after %u: not at the moment promised", cost, earlier);
        }
    struct sliding_window state = {0};
    struct verdict verdict;
    sliding_window_take(&state, &ten, 7, START, &verdict);
    cr_assert(verdict.allowed);
    cr_assert_eq(verdict.remaining, 3);
    sliding_window_take(&state, &ten, 4, START, &verdict);
    cr_assert_not(verdict.allowed);
    cr_assert_eq(verdict.remaining, 3, "what is left is left");
    sliding_window_take(&state, &ten, 3, START, &verdict);
    cr_assert(verdict.allowed);
    sliding_window_give_back(&state, 3);
    sliding_window_take(&state, &ten, 3, START, &verdict);
    cr_assert(verdict.allowed);
    cr_assert_eq(verdict.remaining, 0);
}

Test(gcra, a_burst_of_its_own_and_a_cost_above_one)
{
    static const struct limit limit = {.quota = 60, .burst = 5, .window = MINUTE};
    struct gcra state = {0};
    struct verdict verdict;

    cr_assert_eq(burst_gcra(&state, &limit, START, 20), 5);
    cr_assert_eq(burst_gcra(&state, &limit, START + 3 * BP_SECOND, 20), 3);
    gcra_take(&state, &limit, 4, START + 3 * BP_SECOND, &verdict);
    cr_assert_not(verdict.allowed);
    cr_assert_eq(verdict.retry_in, 4 * BP_SECOND);
    gcra_take(&state, &limit, 4, START + 7 * BP_SECOND - 1, &verdict);
    cr_assert_not(verdict.allowed);
    gcra_take(&state, &limit, 4, START + 7 * BP_SECOND, &verdict);
    cr_assert(verdict.allowed);
    cr_assert_eq(verdict.remaining, 0);
    cr_assert_eq(verdict.reset_in, 5 * BP_SECOND);
    gcra_give_back(&state, &limit, 4);
    gcra_take(&state, &limit, 4, START + 7 * BP_SECOND, &verdict);
    cr_assert(verdict.allowed);
}
