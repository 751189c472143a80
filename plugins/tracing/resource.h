/* SPDX-License-Identifier: MIT */
/* Who spans, log lines and metrics come from: this worker, or the server as a whole. */
#ifndef TRACING_RESOURCE_H
#define TRACING_RESOURCE_H

#include "tracing.h"

/* In start: makes both, of the options and what this process knows of itself, and gives them to the exporters. BP_NOMEM or 0. */
int resource_new(struct tracing *tracing);
void resource_free(struct tracing *tracing);

#endif
