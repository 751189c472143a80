/* SPDX-License-Identifier: MIT */
/* A resource: routes, migrations, a database. */
#include "backplane/backplane.h"
#include "backplane/iface/database.h"

struct items {
    struct bp_service db;
};

static int answer(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_reply_message(rq, 200, "Here");
}

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct items, db), BP_NEED_END};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/items", .handler = answer, .name = "items.list", .doc = "All items."),
    BP_ROUTE(.method = BP_POST, .path = "/items", .handler = answer, .name = "items.create", .doc = "A new item."),
    BP_ROUTE(.method = BP_GET, .path = "/items/{id}", .handler = answer, .name = "items.get", .doc = "One item."),
    BP_ROUTE_END};

static const struct bp_migration migrations[] = {
    BP_MIGRATION(.version = 1, .name = "create_items", .up = "CREATE TABLE items (id)"),
    BP_MIGRATION(.version = 2, .name = "index_items", .up = "CREATE INDEX i ON items (id)", .down = "DROP INDEX i"),
    BP_MIGRATION_END};

BP_PLUGIN(.name = "items", .version = "1.0.0", .doc = "Items for tests.", .self_size = sizeof(struct items),
          .needs = needs, .routes = routes, .migrations = migrations);
