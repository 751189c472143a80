/* SPDX-License-Identifier: MIT */
#include "gcra.h"

void gcra_take(struct gcra *state, const struct limit *limit, bp_time now, struct verdict *ret)
{
    struct verdict verdict = {0};
    bp_span interval = limit->window / (bp_span)limit->quota;
    bp_span burst = interval * (bp_span)limit->quota; /* not the window: what division cuts off would add requests */
    bp_time tat = state->tat > now ? state->tat : now;

    verdict.allowed = tat - now + interval <= burst;
    if (verdict.allowed)
        tat += interval;
    else
        verdict.retry_in = tat - now + interval - burst;
    if (tat - now < burst)
        verdict.remaining = (uint32_t)((burst - (tat - now)) / interval);
    verdict.reset_in = tat - now;
    state->tat = tat;
    *ret = verdict;
}

bp_time gcra_expires(const struct gcra *state)
{
    return state->tat;
}
