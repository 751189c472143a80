/* SPDX-License-Identifier: MIT */
/* Kinds with a schedule: whoever moves its next time on, by comparing it, enqueues the job in the same transaction; so it is one, once. Suspend. */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "queue.h"

/* Writes the schedules and queues of this version into the database, where they are not there yet. */
int schedule_announce(struct queue *queue);
/* Enqueues what is due. */
int schedule_run(struct queue *queue);

/* In enqueue.c: the job of a schedule. One that still waits for its next attempt is tried now instead; one that runs, or waits, is enough. */
int enqueue_scheduled(struct queue *queue, struct bp_tx *tx, const struct kind *kind);

#endif
