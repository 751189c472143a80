/* SPDX-License-Identifier: MIT */
/* Migrations of a plugin that needs no database. */
#include "backplane/backplane.h"

static const struct bp_migration migrations[] = {BP_MIGRATION(.version = 1, .name = "one", .up = "SELECT 1"),
                                                 BP_MIGRATION_END};

BP_PLUGIN(.name = "migration_without_database", .version = "1.0.0", .migrations = migrations);
