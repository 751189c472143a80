/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sched.h>

#include "core/supervisor/cpus.h"

Test(cpus, a_quota_is_rounded_up)
{
    static const struct {
        const char *text;
        unsigned count;
    } cases[] = {{"max 100000", 0},    {"100000 100000", 1}, {"50000 100000", 1},
                 {"100001 100000", 2}, {"250000 100000", 3}, {"", 0},
                 {"100000", 0},        {"x y", 0},           {"100000 0", 0},
                 {"0 100000", 0},      {"-1 100000", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_assert_eq(cpus_of_quota(bp_str_of(cases[i].text)), cases[i].count, "\"%s\"", cases[i].text);
}

Test(cpus, the_affinity_counts)
{
    cpu_set_t mask, one;
    cr_assert_eq(sched_getaffinity(0, sizeof(mask), &mask), 0);
    cr_assert_geq(cpus_available(), 1);
    cr_assert_leq(cpus_available(), (unsigned)CPU_COUNT(&mask));
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &mask))
            CPU_SET(cpu, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    cr_assert_eq(cpus_available(), 1);
}
