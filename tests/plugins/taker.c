/* SPDX-License-Identifier: MIT */
/* Uses the service "thing". */
#include "thing.h"
#include "trace.h"

struct taker {
    uint64_t before;
    struct bp_service thing;
};

static const struct bp_need needs[] = {BP_NEED("thing", 1, struct taker, thing), BP_NEED_END};

static int start(struct bp_host *host, void *self)
{
    const struct taker *taker = self;
    const struct thing_vtable *thing = taker->thing.vtable;
    TRACE(host, "start %d%s", thing->answer(taker->thing.self), thing->later ? " and later" : "");
    return 0;
}

BP_PLUGIN(.name = "taker", .version = "1.0.0", .self_size = sizeof(struct taker), .needs = needs, .start = start);
