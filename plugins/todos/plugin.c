/* SPDX-License-Identifier: MIT */
/* todos: each account's list of things to do. */
#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "backplane/iface/identity.h"
#include "backplane/resource.h"
#include "todos_migrations.h"

struct todos {
    struct bp_service db, identity;
};

struct todo {
    uint64_t set, null;
    bp_uuid id;
    bp_str title;
    bool completed;
    bp_uuid user_id;
    bp_date created_at, updated_at;
    bp_str description;
    uint32_t priority;
    bp_date due_at, completed_at;
    int64_t version;
};

static const struct bp_field fields[] = {
    BP_PRESENCE(struct todo, set, null),
    BP_UUID(struct todo, id, .flags = BP_READ_ONLY),
    BP_TEXT(struct todo, title, .flags = BP_REQUIRED | BP_TRIM | BP_SORT, .min = 1, .max = 500, .doc = "What to do.",
            .example = "Buy milk"),
    BP_BOOL(struct todo, completed, .def = "false", .flags = BP_FILTER | BP_SORT, .doc = "Whether it is done."),
    BP_UUID(struct todo, user_id, .flags = BP_READ_ONLY, .doc = "Whose it is."),
    BP_DATE(struct todo, created_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_DATE(struct todo, updated_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_TEXT(struct todo, description, .flags = BP_NULLABLE | BP_TRIM, .max = 10000, .doc = "More about it."),
    BP_U32(struct todo, priority, .def = "0", .max = 4, .flags = BP_FILTER | BP_SORT, .doc = "4 is the most urgent."),
    BP_DATE(struct todo, due_at, .flags = BP_NULLABLE | BP_FILTER | BP_SORT, .doc = "Until when."),
    BP_DATE(struct todo, completed_at, .flags = BP_NULLABLE | BP_READ_ONLY | BP_FILTER | BP_SORT,
            .doc = "Since when it is done."),
    BP_I64(struct todo, version, .flags = BP_READ_ONLY, .doc = "Counts changes; the ETag."),
    BP_END,
};

static const struct bp_resource_computed computed[] = {
    BP_COMPUTED(.member = "completed_at", .insert = "CASE WHEN {completed} THEN {now} END",
                .insert_postgres = "CASE WHEN {completed}::boolean THEN {now}::timestamptz END",
                .update = "CASE WHEN {completed} THEN coalesce(completed_at, {now}) END"),
    BP_COMPUTED_END,
};

static const struct bp_resource todos =
    BP_RESOURCE(.name = "todo", .plural = "todos", .table = "todos", .fields = fields,
                .object_size = sizeof(struct todo), .db = offsetof(struct todos, db),
                .identity = offsetof(struct todos, identity), .owner = "user_id", .version = "version",
                .created = "created_at", .updated = "updated_at", .sort = "-createdAt", .computed = computed,
                .lenient_paging = 1);

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct todos, db),
    BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct todos, identity),
    BP_NEED_END,
};

static const struct bp_route routes[] = {BP_RESOURCE_ROUTES("/api/v1/todos", &todos), BP_ROUTE_END};

BP_PLUGIN(.name = "todos", .version = "1.0.0", .doc = "Each account's list of things to do.",
          .self_size = sizeof(struct todos), .needs = needs, .routes = routes, .migrations = todos_migrations);
