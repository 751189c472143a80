/* SPDX-License-Identifier: MIT */
/* Uses the service "thing" where there is one; an option of that name is another matter. */
#include "thing.h"
#include "trace.h"

struct maybe {
    struct bp_service service;
    uint32_t thing;
};

static const struct bp_field options[] = {BP_U32(struct maybe, thing, .def = "0", .doc = "Any number."), BP_END};
static const struct bp_need needs[] = {BP_NEED("thing", 1, struct maybe, service, .optional = 1, .key = "source"),
                                       BP_NEED_END};

static int start(struct bp_host *host, void *self)
{
    const struct maybe *maybe = self;
    TRACE(host, "start %s %u", maybe->service.vtable ? "with" : "without", maybe->thing);
    return 0;
}

BP_PLUGIN(.name = "maybe", .version = "1.0.0", .self_size = sizeof(struct maybe), .options = options, .needs = needs,
          .start = start);
