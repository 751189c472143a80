/* SPDX-License-Identifier: MIT */
/* Needs version 2 of "thing", which nobody has. */
#include "backplane/backplane.h"

struct self {
    struct bp_service thing;
};

static const struct bp_need needs[] = {BP_NEED("thing", 2, struct self, thing), BP_NEED_END};

BP_PLUGIN(.name = "newer_taker", .version = "1.0.0", .self_size = sizeof(struct self), .needs = needs);
