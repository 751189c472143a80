/* SPDX-License-Identifier: MIT */
/* An option that is named like a key of the core. */
#include "backplane/backplane.h"

struct self {
    bp_str name;
};

static const struct bp_field options[] = {BP_TEXT(struct self, name), BP_END};

BP_PLUGIN(.name = "core_key", .version = "1.0.0", .self_size = sizeof(struct self), .options = options);
