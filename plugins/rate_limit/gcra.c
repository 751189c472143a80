/* SPDX-License-Identifier: MIT */
#include "gcra.h"

static bp_span interval_of(const struct limit *limit)
{
    return limit->window / (bp_span)limit->quota;
}

void gcra_take(struct gcra *state, const struct limit *limit, uint32_t cost, bp_time now, struct verdict *ret)
{
    struct verdict verdict = {0};
    bp_span interval = interval_of(limit);
    bp_span burst =
        interval * (bp_span)limit->burst; /* of whole intervals: what division cuts off would add requests */
    bp_span price = interval * (bp_span)cost;
    bp_time tat = state->tat > now ? state->tat : now;

    verdict.allowed = tat - now + price <= burst;
    if (verdict.allowed)
        tat += price;
    else
        verdict.retry_in = tat - now + price - burst;
    if (tat - now < burst)
        verdict.remaining = (uint32_t)((burst - (tat - now)) / interval);
    verdict.reset_in = tat - now;
    state->tat = tat;
    *ret = verdict;
}

void gcra_give_back(struct gcra *state, const struct limit *limit, uint32_t cost)
{
    state->tat -= interval_of(limit) * (bp_span)cost;
}

bp_time gcra_expires(const struct gcra *state)
{
    return state->tat;
}
