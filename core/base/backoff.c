/* SPDX-License-Identifier: MIT */
#include "backplane/clock.h"

bp_span bp_backoff(uint32_t attempt, bp_span first, bp_span most, uint32_t random)
{
    bp_span wait = first < most ? first : most;
    for (uint32_t i = 1; i < attempt && wait < most; i++)
        wait = wait > most / 2 ? most : wait * 2;
    /* in steps, so that nothing overflows; the last of them is all of it */
    const bp_span half = wait / 2, steps = UINT16_MAX, step = (bp_span)(random >> 16);
    return half + (wait - half) / steps * step + (wait - half) % steps * step / steps;
}
