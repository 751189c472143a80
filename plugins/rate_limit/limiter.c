/* SPDX-License-Identifier: MIT */
#include "limiter.h"

#include <stdio.h>

void limiter_take(const struct limiter *limiter, bp_str client, bp_time now, struct verdict *ret_verdict,
                  bool *ret_crowded)
{
    struct table_place place;

    table_lock(limiter->table, client, now, &place);
    if (limiter->algorithm == ALGORITHM_GCRA) {
        gcra_take(&place.cell->state.gcra, &limiter->limit, now, ret_verdict);
        place.cell->expires = gcra_expires(&place.cell->state.gcra);
    } else {
        sliding_window_take(&place.cell->state.window, &limiter->limit, now, ret_verdict);
        place.cell->expires = sliding_window_expires(&place.cell->state.window, &limiter->limit);
    }
    table_unlock(&place);
    *ret_crowded = place.crowded;
}

bp_str limiter_address_key(bp_str address, char *ret_key)
{
    static const char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\xff', '\xff'};
    size_t len = 0;

    if (address.len == 16 && memcmp(address.ptr, mapped, sizeof(mapped)) == 0)
        address = bp_str_n(address.ptr + sizeof(mapped), 4);
    if (address.len == 4 || address.len == 16)
        len = address.len == 4 ? 4 : 8;
    ret_key[0] = 'a'; /* apart from users */
    if (len > 0)
        memcpy(ret_key + 1, address.ptr, len);
    return bp_str_n(ret_key, 1 + len);
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
