/* SPDX-License-Identifier: MIT */
/* Provides "ring_a" and needs "ring_b". */
#include "backplane/backplane.h"

struct self {
    struct bp_service next;
};

static const uint32_t vtable[2] = {sizeof(vtable)};
static const struct bp_need needs[] = {BP_NEED("ring_b", 1, struct self, next), BP_NEED_END};
static const struct bp_provide provides[] = {BP_PROVIDE("ring_a", 1, vtable), BP_PROVIDE_END};

BP_PLUGIN(.name = "ring_a", .version = "1.0.0", .self_size = sizeof(struct self), .needs = needs, .provides = provides);
