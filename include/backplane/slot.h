/* SPDX-License-Identifier: MIT */
/* A plugin's own memory in every request. */
#ifndef BACKPLANE_SLOT_H
#define BACKPLANE_SLOT_H

#include "backplane/request.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bp_host;

/* In init only. Reserves size bytes in every request, zeroed when it begins. Returns a handle >= 0, or BP_MISUSE. */
int bp_slot_new(struct bp_host *host, size_t size);
/* The slot's memory in this request, dead with it; never NULL for a handle of bp_slot_new(). In a stage, a handler, and what
 * bp_on_head() and bp_on_done() call. Does not suspend. */
void *bp_slot(struct bp_request *rq, int slot);

#ifdef __cplusplus
}
#endif
#endif
