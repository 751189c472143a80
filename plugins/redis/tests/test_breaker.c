/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "breaker.h"

#define T (1000 * BP_SECOND)

Test(breaker, opens_after_failures_in_a_row)
{
    struct breaker breaker = {.limit = 3, .open_time = BP_SECOND};
    cr_assert_not(breaker_failed(&breaker, T));
    cr_assert_not(breaker_failed(&breaker, T));
    breaker_succeeded(&breaker);
    cr_assert_not(breaker_failed(&breaker, T));
    cr_assert_not(breaker_failed(&breaker, T));
    cr_assert_eq(breaker_wait(&breaker, T), 0);
    cr_assert(breaker_failed(&breaker, T));
    cr_assert(breaker.open);
    /* Once open, it opens no further, and late answers of before do not close it. */
    cr_assert_not(breaker_failed(&breaker, T + 1));
    cr_assert_not(breaker_trip(&breaker, T + 1));
    breaker_succeeded(&breaker);
    cr_assert(breaker.open);
    cr_assert_eq(breaker_wait(&breaker, T), BP_SECOND);
    cr_assert_eq(breaker_wait(&breaker, T + BP_SECOND - 1), 1);
    cr_assert_eq(breaker_wait(&breaker, T + BP_SECOND), 0);
}

Test(breaker, probe_closes_it_on_trial)
{
    struct breaker breaker = {.limit = 3, .open_time = BP_SECOND};
    cr_assert(breaker_trip(&breaker, T));
    cr_assert(breaker_probed(&breaker));
    cr_assert_not(breaker_probed(&breaker));
    cr_assert_not(breaker.open);
    /* The first failure after a probe opens it again … */
    cr_assert(breaker_failed(&breaker, T + 5 * BP_SECOND));
    cr_assert_eq(breaker_wait(&breaker, T + 5 * BP_SECOND), BP_SECOND);
    /* … a success makes it patient again. */
    breaker_probed(&breaker);
    breaker_succeeded(&breaker);
    cr_assert_not(breaker_failed(&breaker, T));
    cr_assert_not(breaker_failed(&breaker, T));
    cr_assert(breaker_failed(&breaker, T));
}

Test(breaker, limit_of_one)
{
    struct breaker breaker = {.limit = 1, .open_time = BP_SECOND};
    cr_assert(breaker_failed(&breaker, T));
    cr_assert(breaker_probed(&breaker));
    breaker_succeeded(&breaker);
    cr_assert(breaker_failed(&breaker, T));
}

Test(breaker, backoff_grows_to_its_bound_with_jitter)
{
    static const bp_span most[] = {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000};
    struct backoff low = {0}, high = {0};
    for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
        bp_span least = i == 0 ? 0 : most[i] / 2;
        cr_assert_eq(backoff_next(&low, 0), least * BP_MILLISECOND, "attempt %zu", i);
        cr_assert_eq(backoff_next(&high, UINT32_MAX), most[i] * BP_MILLISECOND, "attempt %zu", i);
    }
}
