/* SPDX-License-Identifier: MIT */
/* What a jobs worker does every now and then: counts what is in the queues, and forgets jobs that ended long enough ago. */
#ifndef QUEUE_KEEP_H
#define QUEUE_KEEP_H

#include "queue.h"

/* On a timer. Does it on a fiber, unless that of the last time is still at it. */
void keep_soon(void *argument);

#endif
