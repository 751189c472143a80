/* SPDX-License-Identifier: MIT */
/* Gauges of what is in the queues, set by one worker of a server at a time, whether or not the server runs jobs: nobody else says that none does. */
#ifndef QUEUE_MEASURE_H
#define QUEUE_MEASURE_H

#include "queue.h"

int measure_start(struct queue *queue);
/* In stop: leaves it to another worker. */
void measure_stop(struct queue *queue);

#endif
