/* SPDX-License-Identifier: MIT */
/* Two needs of one key. */
#include "backplane/plugin.h"

struct self {
    struct bp_service thing, source, other;
};
static const struct bp_need needs[] = {BP_NEED("thing", 1, struct self, thing),
                                       BP_NEED("thing", 1, struct self, source, .key = "source"),
                                       BP_NEED("other", 1, struct self, other, .key = "thing"), BP_NEED_END};

BP_PLUGIN(.name = "need_twice", .version = "1.0.0", .self_size = sizeof(struct self), .needs = needs);
