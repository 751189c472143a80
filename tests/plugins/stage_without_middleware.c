/* SPDX-License-Identifier: MIT */
/* Stage options, but nothing that is a stage. */
#include "backplane/backplane.h"

struct stage {
    uint32_t quota;
};

static const struct bp_field options[] = {BP_U32(struct stage, quota, .flags = BP_STAGE), BP_END};

BP_PLUGIN(.name = "stage_without_middleware", .version = "1.0.0", .stage_size = sizeof(struct stage),
          .options = options);
