/* SPDX-License-Identifier: MIT */
/* A service handle that lies behind the end of self. */
#include "backplane/backplane.h"

struct self {
    struct bp_service thing;
};

static const struct bp_need needs[] = {BP_NEED("thing", 1, struct self, thing), BP_NEED_END};

BP_PLUGIN(.name = "need_outside", .version = "1.0.0", .self_size = 8, .needs = needs);
