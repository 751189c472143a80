/* SPDX-License-Identifier: MIT */
/* Which format a scraper asks for. */
#ifndef METRICS_ACCEPT_H
#define METRICS_ACCEPT_H

#include "backplane/metric.h"

/* By the Accept field (RFC 9110 12.5.1): OpenMetrics when it is named, in a version that is 1.x or left open, and no less wanted than plain
 * text; else the text format, whatever is asked for: a scraper that is refused learns nothing. */
enum bp_metric_format metrics_accepted(bp_str accept);

#endif
