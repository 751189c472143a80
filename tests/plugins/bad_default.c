/* SPDX-License-Identifier: MIT */
/* An option whose default does not parse. */
#include "backplane/backplane.h"

struct self {
    uint32_t quota;
};

static const struct bp_field options[] = {BP_U32(struct self, quota, .def = "many"), BP_END};

BP_PLUGIN(.name = "bad_default", .version = "1.0.0", .self_size = sizeof(struct self), .options = options);
