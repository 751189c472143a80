/* SPDX-License-Identifier: MIT */
/* How long a job that failed waits. */
#ifndef QUEUE_BACKOFF_H
#define QUEUE_BACKOFF_H

#include "backplane/clock.h"

/* After that many attempts (1 …): first doubled for each further one up to most, and of that, by random (any 32 bits), between half and
 * all. Pure. */
bp_span backoff(uint32_t attempt, bp_span first, bp_span most, uint32_t random);

#endif
