/* SPDX-License-Identifier: MIT */
/* Workers that have grown too large are exchanged. */
#ifndef CORE_SUPERVISOR_RECYCLE_H
#define CORE_SUPERVISOR_RECYCLE_H

#include "core/supervisor/workers.h"

/* A tick: when a worker has more memory of its own than server.worker_memory, another takes its place, and it retires; one at a time. */
void recycle_look(struct workers *workers, bp_time now);

#endif
