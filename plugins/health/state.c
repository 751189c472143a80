/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <stdio.h>

#include "backplane/status.h"

/* Cuts at the last whole character, and makes of control characters spaces: it goes into a JSON text and a log line. */
static void set_detail(struct health_state *state, const char *text)
{
    size_t len = bp_utf8_cut(bp_str_of(text), sizeof(state->detail) - 1).len;
    for (size_t i = 0; i < len; i++)
        state->detail[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
    state->detail[len] = '\0';
}

static enum health_change set(struct health_state *state, bool up, bp_time now)
{
    bool changed = !state->known || state->up != up;
    if (changed && !up)
        state->down_since = now;
    state->known = true;
    state->known_at = now;
    state->up = up;
    state->was_up |= up;
    return !changed ? HEALTH_SAME : up ? HEALTH_ROSE : HEALTH_FELL;
}

void health_state_ask(struct health_state *state, bp_time now)
{
    state->asked = true;
    state->asked_at = now;
}

enum health_change health_state_answer(struct health_state *state, int status, const char *detail, bp_time now)
{
    state->asked = false;
    state->latency = now - state->asked_at;
    state->unfit = status == BP_HEALTH_UNFIT;
    set_detail(state, status == 0 || detail[0] ? detail
                      : status == BP_TIMEOUT   ? "it did not answer in time"
                      : status == BP_BUSY      ? "it is away"
                                               : "it failed; the log says why");
    return set(state, status == 0, now);
}

enum health_change health_state_overdue(struct health_state *state, bp_span timeout, bp_time now)
{
    if (!state->asked || now - state->asked_at < timeout)
        return HEALTH_SAME;
    state->latency = now - state->asked_at;
    (void)snprintf(state->detail, sizeof(state->detail), "no answer within %lld ms",
                   (long long)(timeout / BP_MILLISECOND));
    return set(state, false, now);
}

bp_span health_state_wait(const struct health_state *state, bp_span timeout, bp_time now)
{
    bp_span left = state->asked_at + timeout - now;
    return state->asked && left > 0 ? left : 0;
}

bool health_state_fails(const struct health_state *state, bp_time now)
{
    if (!state->required || state->up)
        return false;
    return !state->was_up || state->unfit || now - state->down_since >= state->grace;
}
