/* SPDX-License-Identifier: MIT */
/* Uses the service "thing" where there is one. */
#include "thing.h"
#include "trace.h"

struct maybe {
    struct bp_service thing;
};

static const struct bp_need needs[] = {BP_NEED("thing", 1, struct maybe, thing, .optional = 1), BP_NEED_END};

static int start(struct bp_host *host, void *self)
{
    const struct maybe *maybe = self;
    TRACE(host, "start %s", maybe->thing.vtable ? "with" : "without");
    return 0;
}

BP_PLUGIN(.name = "maybe", .version = "1.0.0", .self_size = sizeof(struct maybe), .needs = needs, .start = start);
