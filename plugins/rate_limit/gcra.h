/* SPDX-License-Identifier: MIT */
/*
 * The generic cell rate algorithm (ITU-T I.371): a request every window / quota on the long run, with bursts of up to limit.burst. One number a
 * client, the theoretical arrival time (TAT). What was used comes back one by one.
 */
#ifndef GCRA_H
#define GCRA_H

#include "limit.h"

/* Zero: never seen. */
struct gcra {
    bp_time tat;
};

/* The window must have at least a nanosecond for each request of the quota, and the burst must not take longer than GCRA_LONGEST. A request may cost more
 * than one; cost is at most the burst. */
#define GCRA_LONGEST (10000 * BP_DAY)
void gcra_take(struct gcra *state, const struct limit *limit, uint32_t cost, bp_time now, struct verdict *ret);
/* Takes back what was allowed just now. */
void gcra_give_back(struct gcra *state, const struct limit *limit, uint32_t cost);
/* From then on, zero would decide the same. */
bp_time gcra_expires(const struct gcra *state);

#endif
