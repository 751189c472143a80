/* SPDX-License-Identifier: MIT */
/*
 * Whose the running jobs are. A jobs worker has one row with the time until when it is believed to live, which it moves on for all of its jobs
 * at once; jobs of a worker whose row is too old, or gone, are anybody's. A worker that could not renew in time lets go of its jobs before
 * that, so that none runs twice at once. All suspend, but for lease_check().
 */
#ifndef QUEUE_LEASE_H
#define QUEUE_LEASE_H

#include "queue.h"

/* Makes the row, under a new id, and lets go of what the process before us in this slot had. */
int lease_join(struct queue *queue);
/* On a timer: lets go of everything when the time is nearly up, and renews. */
void lease_beat(void *argument);
/* Jobs of workers that are gone wait again; those that have used up their attempts are dead. */
int lease_rescue(struct queue *queue);
/* What the database says that we run, and we do not know of (the answer to a fetch was lost), waits again. */
int lease_audit(struct queue *queue);
/* At the end: what runs waits again, as if it had not been tried; the row goes. */
void lease_leave(struct queue *queue);

#endif
