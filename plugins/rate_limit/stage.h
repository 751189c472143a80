/* SPDX-License-Identifier: MIT */
/* From a stage's options to what works. */
#ifndef STAGE_H
#define STAGE_H

#include "check.h"

/* In init: what no single option can say. 0, or BP_INVALID after reporting. */
int stage_check(struct bp_host *host, bp_str name, const struct rate_limit_stage *options, bool has_store);
/* In start: fills all but the metrics' series; name and options are set. */
int stage_prepare(struct bp_host *host, struct limited *limited, bool has_store);
/* Also what was prepared half-way. */
void stage_release(struct limited *limited);

#endif
