/* SPDX-License-Identifier: MIT */
/* What OpenTelemetry calls the metrics that its semantic conventions know. Prometheus' names are the same with "_" and the unit. */
#ifndef TRACING_SEMANTIC_H
#define TRACING_SEMANTIC_H

#include "otlp.h"

/* Its head, of the definition of which the texts are borrowed. */
struct otlp_metric semantic_metric(const struct bp_metric_def *def);
/* The attributes of a series in attributes, which has room for BP_METRIC_LABELS; NULL: none. Values are valid UTF-8, borrowed or in texts. */
const struct attribute *semantic_attributes(const struct bp_metric_reading *reading, struct attribute *attributes,
                                            struct bytes *texts);

#endif
