/* SPDX-License-Identifier: MIT */
#include "backoff.h"

bp_span backoff(uint32_t attempt, bp_span first, bp_span most, uint32_t random)
{
    bp_span wait = first < most ? first : most;
    for (uint32_t i = 1; i < attempt && wait < most; i++)
        wait = wait > most / 2 ? most : wait * 2;
    bp_span half = wait / 2;
    /* in steps of 1/65536, so that nothing overflows */
    return half + (wait - half) / 65536 * (bp_span)(random >> 16) +
           (wait - half) % 65536 * (bp_span)(random >> 16) / 65536;
}
