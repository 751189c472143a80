/* SPDX-License-Identifier: MIT */
/* Provides "ring_c" and needs "ring_a". */
#include "backplane/backplane.h"

struct self {
    struct bp_service next;
};

static const uint32_t vtable[2] = {sizeof(vtable)};
static const struct bp_need needs[] = {BP_NEED("ring_a", 1, struct self, next), BP_NEED_END};
static const struct bp_provide provides[] = {BP_PROVIDE("ring_c", 1, vtable), BP_PROVIDE_END};

BP_PLUGIN(.name = "ring_c", .version = "1.0.0", .self_size = sizeof(struct self), .needs = needs, .provides = provides);
