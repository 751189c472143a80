/* SPDX-License-Identifier: MIT */
#include "breaker.h"

#define BACKOFF_LEAST (50 * BP_MILLISECOND)
#define BACKOFF_MOST (2 * BP_SECOND)

bool breaker_trip(struct breaker *breaker, bp_time now)
{
    if (breaker->open)
        return false;
    breaker->open = true;
    breaker->probe_at = now + breaker->open_time;
    return true;
}

bool breaker_failed(struct breaker *breaker, bp_time now)
{
    if (breaker->failures < breaker->limit)
        breaker->failures++;
    return breaker->failures >= breaker->limit && breaker_trip(breaker, now);
}

void breaker_succeeded(struct breaker *breaker)
{
    if (!breaker->open)
        breaker->failures = 0;
}

bool breaker_probed(struct breaker *breaker)
{
    if (!breaker->open)
        return false;
    breaker->open = false;
    breaker->failures = breaker->limit - 1;
    return true;
}

bp_span breaker_wait(const struct breaker *breaker, bp_time now)
{
    return breaker->open && breaker->probe_at > now ? breaker->probe_at - now : 0;
}

bp_span backoff_next(struct backoff *backoff, uint32_t random)
{
    /* The first time, replicas that lost the server together come back spread over all of it. */
    if (backoff->attempts++ == 0)
        return BACKOFF_LEAST * (bp_span)random / UINT32_MAX;
    return bp_backoff(backoff->attempts, BACKOFF_LEAST, BACKOFF_MOST, random);
}
