/* SPDX-License-Identifier: MIT */
#include "sliding_window.h"

__extension__ typedef unsigned __int128 wide; /* requests times nanoseconds */

static void roll(struct sliding_window *state, bp_span window, bp_time now)
{
    if (state->current == 0 && state->previous == 0) {
        state->start = now;
    } else if (now - state->start >= 2 * window) {
        *state = (struct sliding_window){.start = now};
    } else if (now - state->start >= window) {
        state->start += window;
        state->previous = state->current;
        state->current = 0;
        if (state->previous == 0) /* a quiet window: the next request begins one of its own */
            state->start = now;
    }
}

static uint32_t used(const struct sliding_window *state, bp_span window, bp_time now)
{
    if (state->previous == 0) /* without a division of 128 bits */
        return state->current;
    uint64_t overlap = (uint64_t)(window - (now - state->start));
    uint64_t sum = (uint64_t)((wide)state->previous * overlap / (wide)window) + state->current;
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

/* The time from the begin of a window until fewer than `allowed` of the requests before it count: the least t for which
 * floor(previous * (window - t) / window) < allowed. */
static bp_span fade(uint32_t previous, uint32_t allowed, bp_span window)
{
    if (previous < allowed)
        return 0;
    wide overlap = ((wide)allowed * (wide)window + previous - 1) / previous - 1;
    return window - (bp_span)overlap;
}

static bp_span retry_in(const struct sliding_window *state, const struct limit *limit, uint32_t cost, bp_time now)
{
    bp_span passed = now - state->start;
    if ((uint64_t)state->current + cost <= limit->quota)
        return fade(state->previous, limit->quota - state->current - cost + 1, limit->window) - passed;
    return limit->window - passed + fade(state->current, limit->quota - cost + 1, limit->window);
}

void sliding_window_take(struct sliding_window *state, const struct limit *limit, uint32_t cost, bp_time now,
                         struct verdict *ret)
{
    struct verdict verdict = {0};

    if (now < state->start) /* another worker's clock reading was newer */
        now = state->start;
    roll(state, limit->window, now);
    uint32_t before = used(state, limit->window, now);
    if (before < limit->quota)
        verdict.remaining = limit->quota - before;
    verdict.allowed = verdict.remaining >= cost;
    verdict.reset_in = limit->window - (now - state->start);
    if (verdict.allowed) {
        state->current += cost;
        verdict.remaining -= cost;
    } else {
        verdict.retry_in = retry_in(state, limit, cost, now);
        /* Whoever comes back at the reset is let in: with the current window full, that is a moment of the next. */
        if ((uint64_t)state->current + cost > limit->quota)
            verdict.reset_in = verdict.retry_in;
    }
    *ret = verdict;
}

void sliding_window_give_back(struct sliding_window *state, uint32_t cost)
{
    state->current -= cost < state->current ? cost : state->current;
}

bp_time sliding_window_expires(const struct sliding_window *state, const struct limit *limit)
{
    return state->start + 2 * limit->window;
}
