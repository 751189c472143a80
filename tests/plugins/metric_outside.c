/* SPDX-License-Identifier: MIT */
/* A metric whose place lies behind the end of self. */
#include "backplane/backplane.h"

struct self {
    void *first;
    struct bp_metric *done;
};

static const struct bp_metric_row metrics[] = {
    BP_METRIC(struct self, done, .type = BP_COUNTER, .name = "done_total", .help = "Done."), BP_METRIC_END};

BP_PLUGIN(.name = "metric_outside", .version = "1.0.0", .self_size = 8, .metrics = metrics);
