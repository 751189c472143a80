/* SPDX-License-Identifier: MIT */
#ifndef QUEUE_COUNT_H
#define QUEUE_COUNT_H

#include "backplane/metric.h"

extern const struct bp_metric_row count_metrics[];

#endif
