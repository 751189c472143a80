/* SPDX-License-Identifier: MIT */
/* Where time and randomness come from; replaced in tests only. */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include "backplane/clock.h"

struct clock_source {
    bp_time (*monotonic)(void);
    bp_date (*wall)(void);
};
/* NULL: the system's clocks again. */
void clock_replace(const struct clock_source *source);

#endif
