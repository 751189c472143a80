/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "backplane/clock.h"

/* Doubled up to the most; the random part is between half and all. */
Test(backoff, waits)
{
    static const struct {
        uint32_t attempt;
        bp_span first, most, least_wait, most_wait;
    } cases[] = {{0, 5 * BP_SECOND, BP_HOUR, 2500 * BP_MILLISECOND, 5 * BP_SECOND},
                 {1, 5 * BP_SECOND, BP_HOUR, 2500 * BP_MILLISECOND, 5 * BP_SECOND},
                 {2, 5 * BP_SECOND, BP_HOUR, 5 * BP_SECOND, 10 * BP_SECOND},
                 {10, 5 * BP_SECOND, BP_HOUR, 1280 * BP_SECOND, 2560 * BP_SECOND},
                 {11, 5 * BP_SECOND, BP_HOUR, 30 * BP_MINUTE, BP_HOUR},
                 {UINT32_MAX, 5 * BP_SECOND, BP_HOUR, 30 * BP_MINUTE, BP_HOUR},
                 {1, BP_HOUR, BP_MINUTE, 30 * BP_SECOND, BP_MINUTE},
                 {3, INT64_MAX / 2, INT64_MAX, INT64_MAX / 2, INT64_MAX},
                 {1, 1, BP_HOUR, 0, 1},
                 {7, 0, BP_HOUR, 0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_span waits[5];
        for (uint32_t quarter = 0; quarter < 5; quarter++)
            waits[quarter] =
                bp_backoff(cases[i].attempt, cases[i].first, cases[i].most, quarter < 4 ? quarter << 30 : UINT32_MAX);
        cr_expect_eq(waits[0], cases[i].least_wait, "%zu: %lld", i, (long long)waits[0]);
        cr_expect_eq(waits[4], cases[i].most_wait, "%zu: %lld", i, (long long)waits[4]);
        const double middle = ((double)cases[i].least_wait + (double)cases[i].most_wait) / 2;
        cr_expect_float_eq((double)waits[2], middle, middle / 1000 + 1, "%zu: %lld", i, (long long)waits[2]);
        for (size_t quarter = 1; quarter < 5; quarter++)
            cr_expect_geq(waits[quarter], waits[quarter - 1], "%zu, %zu", i, quarter);
    }
}
