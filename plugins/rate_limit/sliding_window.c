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

static bp_span retry_in(const struct sliding_window *state, const struct limit *limit, bp_time now)
{
    bp_span passed = now - state->start;
    if (state->current < limit->quota)
        return fade(state->previous, limit->quota - state->current, limit->window) - passed;
    return limit->window - passed + fade(state->current, limit->quota, limit->window);
}

void sliding_window_take(struct sliding_window *state, const struct limit *limit, bp_time now, struct verdict *ret)
{
    struct verdict verdict = {0};

    if (now < state->start) /* another worker's clock reading was newer */
        now = state->start;
    roll(state, limit->window, now);
    uint32_t before = used(state, limit->window, now);
    verdict.allowed = before < limit->quota;
    if (verdict.allowed) {
        state->current++;
        verdict.remaining = limit->quota - before - 1;
    } else {
        verdict.retry_in = retry_in(state, limit, now);
    }
    verdict.reset_in = limit->window - (now - state->start);
    /* Whoever comes back at the reset is let in: with the current window full, that is the first moment of the next. */
    if (!verdict.allowed && state->current >= limit->quota)
        verdict.reset_in = verdict.retry_in;
    *ret = verdict;
}

bp_time sliding_window_expires(const struct sliding_window *state, const struct limit *limit)
{
    return state->start + 2 * limit->window;
}
