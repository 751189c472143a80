/* SPDX-License-Identifier: MIT */
/* Gauges of the outbox, set by one worker of a server at a time. */
#ifndef PLUGINS_EVENTS_MEASURE_H
#define PLUGINS_EVENTS_MEASURE_H

#include "events.h"

extern const struct bp_metric_row measure_metrics[];

int measure_start(struct events *events);
/* In stop: leaves it to another worker. */
void measure_stop(struct events *events);

#endif
