/* SPDX-License-Identifier: MIT */
/* bookmarks: addresses that an account wants to find again. */
#include <backplane/backplane.h>
#include <backplane/iface/database.h>
#include <backplane/iface/identity.h>
#include <backplane/resource.h>

struct bookmarks {
    struct bp_service db, identity;
};

struct bookmark {
    uint64_t set, null;
    bp_uuid id, user_id;
    bp_str url, title;
    bool read;
    bp_date created_at, updated_at;
    int64_t version;
};

/* The columns of the table, the members of a reply, what a body may hold, what lists can be filtered and sorted by. */
static const struct bp_field fields[] = {
    BP_PRESENCE(struct bookmark, set, null),
    BP_UUID(struct bookmark, id, .flags = BP_READ_ONLY),
    BP_TEXT(struct bookmark, url, .flags = BP_REQUIRED | BP_TRIM | BP_FILTER, .min = 1, .max = 2000),
    BP_TEXT(struct bookmark, title, .flags = BP_NULLABLE | BP_SORT, .max = 200),
    BP_BOOL(struct bookmark, read, .def = "false", .flags = BP_FILTER),
    BP_UUID(struct bookmark, user_id, .flags = BP_READ_ONLY),
    BP_DATE(struct bookmark, created_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_DATE(struct bookmark, updated_at, .flags = BP_READ_ONLY),
    BP_I64(struct bookmark, version, .flags = BP_READ_ONLY),
    BP_END};

static const struct bp_resource bookmarks =
    BP_RESOURCE(.name = "bookmark", .plural = "bookmarks", .table = "bookmarks", .fields = fields,
                .object_size = sizeof(struct bookmark), .db = offsetof(struct bookmarks, db),
                .identity = offsetof(struct bookmarks, identity), .owner = "user_id", .version = "version",
                .created = "created_at", .updated = "updated_at", .sort = "-createdAt");

static const struct bp_migration migrations[] = {
    BP_MIGRATION(
            .version = 1, .name = "create_bookmarks",
            .up =
                "CREATE TABLE bookmarks (id BLOB PRIMARY KEY NOT NULL, url TEXT NOT NULL, title TEXT, read INTEGER NOT "
                "NULL, user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE, created_at INTEGER NOT NULL, "
                "updated_at INTEGER NOT NULL, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
                "CREATE INDEX bookmarks_by_user ON bookmarks (user_id, created_at DESC, id DESC);"),
    BP_MIGRATION_END};

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct bookmarks, db),
                                       BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct bookmarks, identity),
                                       BP_NEED_END};

static const struct bp_route routes[] = {BP_RESOURCE_ROUTES("/api/v1/bookmarks", &bookmarks), BP_ROUTE_END};

BP_PLUGIN(.name = "bookmarks", .version = "1.0.0", .doc = "Addresses that an account wants to find again.",
          .self_size = sizeof(struct bookmarks), .needs = needs, .routes = routes, .migrations = migrations);
