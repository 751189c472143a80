/* SPDX-License-Identifier: MIT */
/* Taking jobs out of the database. Suspend. */
#ifndef QUEUE_FETCH_H
#define QUEUE_FETCH_H

#include "queue.h"

/* How many jobs may be fetched now. Does not suspend. */
uint32_t fetch_places(const struct lane *lane);
/* Fetches so many, where there are, and starts them. ret_bytes: of their rows. */
int fetch(struct queue *queue, struct lane *lane, size_t *ret_bytes);
/* Lets those wait whose time has come, 500 at a time. */
int fetch_promote(struct queue *queue);

/* What a look at the tables says; times are from now. */
struct outlook {
    bp_span scheduled; /* BP_FOREVER: nothing */
    bool abandoned;
    bp_span cron;
};
/* Looks; marks the lanes in which something waits. */
int fetch_look(struct queue *queue, struct outlook *ret_outlook);

#endif
