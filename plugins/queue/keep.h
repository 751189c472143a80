/* SPDX-License-Identifier: MIT */
/* Jobs that ended long enough ago are forgotten, by the jobs workers. */
#ifndef QUEUE_KEEP_H
#define QUEUE_KEEP_H

#include "queue.h"

#define KEEP_EVERY BP_MINUTE

/* On a timer. Does it on a fiber, unless that of the last time is still at it. */
void keep_soon(void *argument);

#endif
