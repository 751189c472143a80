/* SPDX-License-Identifier: MIT */
/* Migrations without routes, all of which can be undone. */
#include "backplane/backplane.h"
#include "backplane/iface/database.h"

struct lists {
    struct bp_service db;
};

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct lists, db), BP_NEED_END};

static const struct bp_migration migrations[] = {
    BP_MIGRATION(.version = 1, .name = "create_lists", .up = "CREATE TABLE lists (id)", .down = "DROP TABLE lists"),
    BP_MIGRATION(.version = 2, .name = "index_lists", .up = "CREATE INDEX l ON lists (id)", .down = "DROP INDEX l"),
    BP_MIGRATION_END};

BP_PLUGIN(.name = "lists", .version = "1.0.0", .self_size = sizeof(struct lists), .needs = needs,
          .migrations = migrations);
