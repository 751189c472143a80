/* SPDX-License-Identifier: MIT */
/* A need whose key is one of the core. */
#include "backplane/plugin.h"

struct self {
    struct bp_service thing;
};
static const struct bp_need needs[] = {BP_NEED("thing", 1, struct self, thing, .key = "optional"), BP_NEED_END};

BP_PLUGIN(.name = "need_core_key", .version = "1.0.0", .self_size = sizeof(struct self), .needs = needs);
