/* SPDX-License-Identifier: MIT */
/* Retention: what is old enough, and was given to every consumer that is loaded, is deleted. */
#ifndef PLUGINS_EVENTS_KEEP_H
#define PLUGINS_EVENTS_KEEP_H

#include "events.h"

/* In init: as a job, where there is a queue. */
int keep_init(struct bp_host *host, struct events *events);
/* In start: by each worker from time to time, where there is none. */
int keep_start(struct events *events);

#endif
