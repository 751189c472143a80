/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "sampler.h"

/* The last 63 bits decide; the last bit of all does not count. */
static const uint8_t low[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t high[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t half[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0x80};

Test(sampler, kinds)
{
    static const struct bp_trace_context yes = {.flags = BP_TRACE_SAMPLED}, no = {.flags = 0};
    static const struct {
        enum sampler_kind kind;
        double ratio;
        const uint8_t *id;
        const struct bp_trace_context *parent;
        bool chosen;
    } cases[] = {{SAMPLER_ALWAYS_ON, 0, high, &no, true},
                 {SAMPLER_ALWAYS_OFF, 1, low, &yes, false},
                 {SAMPLER_RATIO, 0.01, low, &no, true},
                 {SAMPLER_RATIO, 0.99, high, &yes, false},
                 {SAMPLER_RATIO, 1, high, NULL, true},
                 {SAMPLER_RATIO, 0, low, NULL, false},
                 {SAMPLER_RATIO, 0.5, half, NULL, false},
                 {SAMPLER_RATIO, 0.500001, half, NULL, true},
                 {SAMPLER_PARENT_ALWAYS_ON, 0, high, NULL, true},
                 {SAMPLER_PARENT_ALWAYS_ON, 0, high, &no, false},
                 {SAMPLER_PARENT_ALWAYS_ON, 0, high, &yes, true},
                 {SAMPLER_PARENT_ALWAYS_OFF, 0, low, NULL, false},
                 {SAMPLER_PARENT_ALWAYS_OFF, 0, low, &no, false},
                 {SAMPLER_PARENT_ALWAYS_OFF, 0, low, &yes, true},
                 {SAMPLER_PARENT_RATIO, 0.5, low, NULL, true},
                 {SAMPLER_PARENT_RATIO, 0.5, high, NULL, false},
                 {SAMPLER_PARENT_RATIO, 0.5, high, &yes, true},
                 {SAMPLER_PARENT_RATIO, 0.5, low, &no, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sampler sampler;
        sampler_init(&sampler, cases[i].kind, cases[i].ratio, 0);
        cr_expect_eq(sampler_decide(&sampler, cases[i].id, cases[i].parent, 0), cases[i].chosen, "%zu", i);
    }
}

Test(sampler, rate)
{
    struct sampler sampler;
    bp_time now = 1000 * BP_SECOND;
    sampler_init(&sampler, SAMPLER_ALWAYS_ON, 1, 10);
    unsigned chosen = 0;
    for (unsigned i = 0; i < 100; i++)
        chosen += sampler_decide(&sampler, low, NULL, now);
    cr_expect_eq(chosen, 10);
    now += 500 * BP_MILLISECOND;
    for (unsigned i = 0; i < 100; i++)
        chosen += sampler_decide(&sampler, low, NULL, now);
    cr_expect_eq(chosen, 15);
    now += BP_HOUR; /* what was not used is not saved up */
    for (unsigned i = 0; i < 100; i++)
        chosen += sampler_decide(&sampler, low, NULL, now);
    cr_expect_eq(chosen, 25);
    /* What the sampler does not want takes nothing of it. */
    sampler_init(&sampler, SAMPLER_PARENT_ALWAYS_OFF, 1, 1);
    for (unsigned i = 0; i < 100; i++)
        cr_expect_not(sampler_decide(&sampler, low, NULL, now));
    cr_expect(sampler_decide(&sampler, low, &(struct bp_trace_context){.flags = BP_TRACE_SAMPLED}, now));
}
