/* SPDX-License-Identifier: MIT */
#include "limiter.h"

#include <stdio.h>

static void take(const struct limiter *limiter, const struct limit *limit, bp_str client, uint32_t cost, bp_time now,
                 struct verdict *ret, bool *crowded)
{
    struct table_place place;

    table_lock(limiter->table, client, now, &place);
    union table_state *state = &place.cell->state;
    if (limiter->algorithm == ALGORITHM_GCRA) {
        gcra_take(&state->gcra, limit, cost, now, ret);
        place.cell->expires = gcra_expires(&state->gcra);
    } else {
        sliding_window_take(&state->window, limit, cost, now, ret);
        place.cell->expires = sliding_window_expires(&state->window, limit);
    }
    table_unlock(&place);
    *crowded |= place.crowded;
}

static void give_back(const struct limiter *limiter, const struct limit *limit, bp_str client, uint32_t cost,
                      bp_time now, struct verdict *verdict)
{
    struct table_place place;

    table_lock(limiter->table, client, now, &place);
    if (limiter->algorithm == ALGORITHM_GCRA)
        gcra_give_back(&place.cell->state.gcra, limit, cost);
    else
        sliding_window_give_back(&place.cell->state.window, cost);
    table_unlock(&place);
    verdict->remaining += cost;
}

bool limiter_allows(const struct verdict *verdicts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!verdicts[i].allowed)
            return false;
    return true;
}

void limiter_take(const struct limiter *limiter, bp_str client, uint32_t cost, bp_time now,
                  struct verdict *ret_verdicts, bool *ret_crowded)
{
    char space[LIMITER_CLIENT_MAX + 1];

    *ret_crowded = false;
    take(limiter, &limiter->limits[0], client, cost, now, &ret_verdicts[0], ret_crowded);
    if (limiter->count == 1)
        return;
    memcpy(space, client.ptr, client.len);
    for (uint32_t i = 1; i < limiter->count; i++) {
        space[client.len] = (char)i;
        take(limiter, &limiter->limits[i], bp_str_n(space, client.len + 1), cost, now, &ret_verdicts[i], ret_crowded);
    }
    if (limiter_allows(ret_verdicts, limiter->count))
        return;
    /* Counted and taken back, and not looked at before: nobody else can pass between the two. */
    for (uint32_t i = 0; i < limiter->count; i++) {
        space[client.len] = (char)i;
        if (ret_verdicts[i].allowed)
            give_back(limiter, &limiter->limits[i], i == 0 ? client : bp_str_n(space, client.len + 1), cost, now,
                      &ret_verdicts[i]);
    }
}

void limiter_message(const struct limit *limit, char ret_text[LIMITER_MESSAGE])
{
    (void)snprintf(ret_text, LIMITER_MESSAGE,
                   "Too many requests. Limit: %u requests per %lldms. Please try again later.", (unsigned)limit->quota,
                   (long long)(limit->window / BP_MILLISECOND));
}

static int64_t units(bp_span span, bp_span unit)
{
    return span <= 0 ? 0 : (span - 1) / unit + 1;
}

int64_t limiter_seconds(bp_span span)
{
    return units(span, BP_SECOND);
}

int64_t limiter_milliseconds(bp_span span)
{
    return units(span, BP_MILLISECOND);
}
