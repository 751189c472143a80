/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "backplane/status.h"
#include "state.h"

#define TIMEOUT (2 * BP_SECOND)

static enum health_change answer(struct health_state *state, int status, bp_time at)
{
    health_state_ask(state, at - BP_MILLISECOND);
    return health_state_answer(state, status, "", at);
}

Test(state, readiness_bears_an_outage_for_its_grace_and_no_longer)
{
    static const struct {
        const char *what;
        bool required;
        bp_span grace;
        int first, then; /* at second 1, and each second from 2 on */
        bool fails[6];   /* at seconds 0 … 5 */
    } cases[] = {
        {"nothing is known yet", true, BP_MINUTE, 1, 0, {true}},
        {"up", true, 2 * BP_SECOND, 0, 0, {true}},
        {"never up: no grace", true, BP_MINUTE, BP_BUSY, BP_BUSY, {true, true, true, true, true, true}},
        {"never up, then up", true, BP_MINUTE, BP_BUSY, 0, {true, true}},
        {"down after up", true, 2 * BP_SECOND, 0, BP_BUSY, {true, false, false, false, true, true}},
        {"no grace", true, 0, 0, BP_TIMEOUT, {true, false, true, true, true, true}},
        {"unfit after up: no grace", true, BP_MINUTE, 0, BP_HEALTH_UNFIT, {true, false, true, true, true, true}},
        {"optional", false, 0, 0, BP_BUSY, {false}},
        {"optional, never up", false, 0, BP_BUSY, BP_BUSY, {false}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct health_state state = {.required = cases[i].required, .grace = cases[i].grace};
        cr_expect_eq(health_state_fails(&state, 0), cases[i].fails[0], "%s, at the start", cases[i].what);
        if (cases[i].first == 1)
            continue;
        (void)answer(&state, cases[i].first, BP_SECOND);
        for (int second = 1; second < 6; second++) {
            if (second > 1)
                (void)answer(&state, cases[i].then, second * BP_SECOND);
            cr_expect_eq(health_state_fails(&state, second * BP_SECOND), cases[i].fails[second], "%s, at %d s",
                         cases[i].what, second);
        }
    }
}

Test(state, changes_are_told_once)
{
    static const struct {
        int status;
        enum health_change change;
    } steps[] = {{BP_BUSY, HEALTH_FELL},         {BP_TIMEOUT, HEALTH_SAME}, {0, HEALTH_ROSE}, {0, HEALTH_SAME},
                 {BP_HEALTH_UNFIT, HEALTH_FELL}, {BP_ERROR, HEALTH_SAME},   {0, HEALTH_ROSE}};
    struct health_state state = {.required = true};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        cr_expect_eq(answer(&state, steps[i].status, (bp_time)(i + 1) * BP_SECOND), steps[i].change, "step %zu", i);
    struct health_state fresh = {.required = true};
    cr_expect_eq(answer(&fresh, 0, BP_SECOND), HEALTH_ROSE);
    cr_expect_eq(fresh.latency, BP_MILLISECOND);
    cr_expect_eq(fresh.down_since, 0);
}

Test(state, silence_counts_as_down_when_the_time_is_up)
{
    struct health_state state = {.required = true, .grace = BP_SECOND};
    (void)answer(&state, 0, BP_SECOND);
    cr_expect_eq(health_state_overdue(&state, TIMEOUT, BP_MINUTE), HEALTH_SAME, "nothing was asked");
    cr_expect_eq(health_state_wait(&state, TIMEOUT, BP_MINUTE), 0);
    health_state_ask(&state, 10 * BP_SECOND);
    cr_expect_eq(health_state_wait(&state, TIMEOUT, 10 * BP_SECOND), TIMEOUT);
    cr_expect_eq(health_state_wait(&state, TIMEOUT, 11 * BP_SECOND), BP_SECOND);
    cr_expect_eq(health_state_overdue(&state, TIMEOUT, 12 * BP_SECOND - 1), HEALTH_SAME);
    cr_expect(state.up);
    cr_expect_eq(health_state_overdue(&state, TIMEOUT, 12 * BP_SECOND), HEALTH_FELL);
    cr_expect_eq(health_state_wait(&state, TIMEOUT, 12 * BP_SECOND), 0);
    cr_expect_str_eq(state.detail, "no answer within 2000 ms");
    cr_expect_eq(state.latency, TIMEOUT);
    cr_expect_not(health_state_fails(&state, 12 * BP_SECOND));
    cr_expect_eq(health_state_overdue(&state, TIMEOUT, 13 * BP_SECOND), HEALTH_SAME);
    cr_expect(health_state_fails(&state, 13 * BP_SECOND), "its grace began at second 12");
    cr_expect_eq(health_state_answer(&state, 0, "slow", 20 * BP_SECOND), HEALTH_ROSE);
    cr_expect_eq(state.latency, 10 * BP_SECOND);
    cr_expect_not(health_state_fails(&state, 20 * BP_SECOND));
}

Test(state, a_detail_is_one_line_of_valid_text)
{
    char longest[400];
    memset(longest, 'x', sizeof(longest));
    memcpy(longest + BP_HEALTH_DETAIL - 2, "\xe2\x82\xac", 3); /* a euro sign across the end */
    longest[sizeof(longest) - 1] = '\0';
    static const struct {
        int status;
        const char *given, *shown;
    } cases[] = {
        {0, "", ""},
        {0, "15.4, 3 of 4 connections", "15.4, 3 of 4 connections"},
        {BP_BUSY, "", "it is away"},
        {BP_TIMEOUT, "", "it did not answer in time"},
        {BP_ERROR, "", "it failed; the log says why"},
        {BP_HEALTH_UNFIT, "2 migrations\r\nare missing\x7f", "2 migrations  are missing "},
        {BP_BUSY, "caf\xc3\xa9", "caf\xc3\xa9"},
    };
    struct health_state state = {.required = true};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        (void)health_state_answer(&state, cases[i].status, cases[i].given, BP_SECOND);
        cr_expect_str_eq(state.detail, cases[i].shown, "case %zu", i);
    }
    (void)health_state_answer(&state, 0, longest, BP_SECOND);
    cr_expect_eq(strlen(state.detail), BP_HEALTH_DETAIL - 2, "%zu", strlen(state.detail));
    cr_expect_eq(strspn(state.detail, "x"), BP_HEALTH_DETAIL - 2);
}
