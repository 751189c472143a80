/* SPDX-License-Identifier: MIT */
/* What is known about one check. Knows no clock, loop or log. */
#ifndef HEALTH_STATE_H
#define HEALTH_STATE_H

#include "backplane/health.h"

struct health_state {
    bool required;
    bp_span grace;

    bool asked; /* an answer is on its way, since … */
    bp_time asked_at;
    bool known; /* there was an answer, or none in time */
    bp_time known_at;
    bool up;
    bool was_up; /* at some time: only then grace is given */
    bool unfit;
    bp_time down_since;
    bp_span latency;
    char detail[BP_HEALTH_DETAIL]; /* one line of valid UTF-8 */
};

enum health_change { HEALTH_SAME, HEALTH_ROSE, HEALTH_FELL };

void health_state_ask(struct health_state *state, bp_time now);
/* The check returned status; detail is what it wrote. */
enum health_change health_state_answer(struct health_state *state, int status, const char *detail, bp_time now);
/* Counts as down what was asked at least timeout ago and is still silent. */
enum health_change health_state_overdue(struct health_state *state, bp_span timeout, bp_time now);
/* How long an answer may still take before it is overdue; 0: none is waited for. */
bp_span health_state_wait(const struct health_state *state, bp_span timeout, bp_time now);
/* Whether readiness fails because of it. */
bool health_state_fails(const struct health_state *state, bp_time now);

#endif
