/* SPDX-License-Identifier: MIT */
/* An option that lies behind the end of self. */
#include "backplane/backplane.h"

struct self {
    uint64_t before;
    bp_str key;
};

static const struct bp_field options[] = {BP_TEXT(struct self, key), BP_END};

BP_PLUGIN(.name = "outside", .version = "1.0.0", .self_size = sizeof(uint64_t), .options = options);
