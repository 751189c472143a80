/* SPDX-License-Identifier: MIT */
/* Rows of one table that differ in size. */
#include "backplane/backplane.h"

struct self {
    struct bp_service a, b;
};

static const struct bp_need needs[] = {
    BP_NEED("a", 1, struct self, a),
    {.size = sizeof(struct bp_need) - 8, .interface = "b", .version = 1, .offset = offsetof(struct self, b)},
    BP_NEED_END};

BP_PLUGIN(.name = "uneven_rows", .version = "1.0.0", .self_size = sizeof(struct self), .needs = needs);
