/* SPDX-License-Identifier: MIT */
/*
 * Two weighted windows: the requests of the current window, and of the one before as far as it still overlaps the last `window` of time,
 * assuming that they were spread evenly. A client's windows begin with its own first request, not with the wall clock's: so a
 * burst of the whole quota is allowed, and nothing trickles back before a window has passed since it began. After that the previous
 * window counts floor(previous * overlap), so the client gets its quota back at the pace at which it may use it.
 */
#ifndef SLIDING_WINDOW_H
#define SLIDING_WINDOW_H

#include "limit.h"

/* All zero: never seen. */
struct sliding_window {
    bp_time start; /* of the current window */
    uint32_t previous, current;
};

/* Decides about one request at the time now, and counts it when it is allowed, as cost requests: from 1 to the quota. */
void sliding_window_take(struct sliding_window *state, const struct limit *limit, uint32_t cost, bp_time now,
                         struct verdict *ret);
/* Takes back what was allowed just now. */
void sliding_window_give_back(struct sliding_window *state, uint32_t cost);
/* From then on, all zero would decide the same. */
bp_time sliding_window_expires(const struct sliding_window *state, const struct limit *limit);

#endif
