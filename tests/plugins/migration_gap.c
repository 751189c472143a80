/* SPDX-License-Identifier: MIT */
/* Migrations with a gap. */
#include "backplane/backplane.h"

struct self {
    struct bp_service db;
};

static const struct bp_need needs[] = {BP_NEED("database", 1, struct self, db), BP_NEED_END};
static const struct bp_migration migrations[] = {BP_MIGRATION(.version = 1, .name = "one", .up = "SELECT 1"),
                                                 BP_MIGRATION(.version = 3, .name = "three", .up = "SELECT 3"),
                                                 BP_MIGRATION_END};

BP_PLUGIN(.name = "migration_gap", .version = "1.0.0", .self_size = sizeof(struct self), .needs = needs,
          .migrations = migrations);
