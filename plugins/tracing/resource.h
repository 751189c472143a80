/* SPDX-License-Identifier: MIT */
/* Who the spans come from. */
#ifndef TRACING_RESOURCE_H
#define TRACING_RESOURCE_H

#include "tracing.h"

/* In start: makes tracing->resource, of the options and what this process knows of itself. BP_NOMEM or 0. */
int resource_new(struct tracing *tracing);
void resource_free(struct tracing *tracing);

#endif
