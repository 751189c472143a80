/* SPDX-License-Identifier: MIT */
/* A plugin with two resources that have a member of each type to filter and sort by: one whose members always have a value, one whose may be null. For black-box
 * tests only. */
#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "backplane/resource.h"

struct filtered {
    struct bp_service db;
};

struct thing {
    uint64_t set, null;
    bp_uuid id;
    bp_str name;
    bool flag;
    uint32_t small;
    int64_t big;
    double ratio;
    bp_str text;
    uint32_t kind;
    bp_span wait;
    uint64_t bytes;
    bp_uuid ref;
    bp_date moment;
};

static const char *const kinds[] = {"red", "green", "blue", NULL};

#define BOTH (BP_FILTER | BP_SORT)
#define FIELDS(FLAGS)                                                                                        \
    {                                                                                                        \
        BP_PRESENCE(struct thing, set, null), BP_UUID(struct thing, id, .flags = BP_READ_ONLY),              \
            BP_TEXT(struct thing, name, .flags = BP_REQUIRED | BP_SORT, .max = 10),                          \
            BP_BOOL(struct thing, flag, .flags = BOTH | (FLAGS)),                                            \
            BP_U32(struct thing, small, .flags = BOTH | (FLAGS), .min = 1, .max = 100),                      \
            BP_I64(struct thing, big, .flags = BOTH | (FLAGS)),                                              \
            BP_F64(struct thing, ratio, .flags = BOTH | (FLAGS), .min = -10, .max = 10),                     \
            BP_TEXT(struct thing, text, .flags = BOTH | BP_TRIM | BP_LOWER | (FLAGS), .min = 1, .max = 5),   \
            BP_CHOICE(struct thing, kind, .flags = BOTH | (FLAGS), .choices = kinds),                        \
            BP_SPAN(struct thing, wait, .flags = BOTH | (FLAGS), .min = BP_SECOND, .max = BP_DAY),           \
            BP_SIZE(struct thing, bytes, .flags = BOTH | (FLAGS), .max = 1048576),                           \
            BP_UUID(struct thing, ref, .flags = BOTH | (FLAGS)),                                             \
            BP_DATE(struct thing, moment, .flags = BOTH | (FLAGS), .max = INT64_C(253402300799999)), BP_END, \
    }

static const struct bp_field plain_fields[] = FIELDS(0);
static const struct bp_field nullable_fields[] = FIELDS(BP_NULLABLE);

static const struct bp_resource_filter filters[] = {
    BP_RESOURCE_FILTER(.name = "odd", .type = BP_TYPE_BOOL, .sql = "(\"small\" % 2 = 1) = {value}"),
    BP_RESOURCE_FILTER(.name = "above", .type = BP_TYPE_I64, .sql = "\"big\" > {value}"),
    BP_RESOURCE_FILTER(.name = "without", .type = BP_TYPE_TEXT, .sql = "replace(\"text\", {value}, '') = \"text\""),
    BP_RESOURCE_FILTER(.name = "notRef", .type = BP_TYPE_UUID, .sql = "\"ref\" <> {value}"),
    BP_RESOURCE_FILTER(.name = "since", .type = BP_TYPE_DATE, .sql = "\"moment\" >= {value}"),
    BP_RESOURCE_FILTER_END,
};

/* The words come in quotes. */
#define SEARCH "replace(\"text\", replace({value}, '\"', ''), '') <> \"text\""

static const struct bp_resource plain =
    BP_RESOURCE(.name = "plain", .plural = "plains", .table = "plains", .fields = plain_fields,
                .object_size = sizeof(struct thing), .db = offsetof(struct filtered, db), .sort = "name",
                .filters = filters, .search = SEARCH);
static const struct bp_resource nullable =
    BP_RESOURCE(.name = "nullable", .plural = "nullables", .table = "nullables", .fields = nullable_fields,
                .object_size = sizeof(struct thing), .db = offsetof(struct filtered, db), .sort = "name",
                .filters = filters, .search = SEARCH);

#define TABLE(NAME, NOT_NULL)                                                                                     \
    "CREATE TABLE " NAME " (id BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL, flag INTEGER" NOT_NULL              \
    ", small INTEGER" NOT_NULL ", big INTEGER" NOT_NULL ", ratio REAL" NOT_NULL ", text TEXT" NOT_NULL            \
    ", kind TEXT" NOT_NULL ", wait INTEGER" NOT_NULL ", bytes INTEGER" NOT_NULL ", ref BLOB" NOT_NULL ", moment " \
    "INTEGER" NOT_NULL ") WITHOUT ROWID, STRICT;"
#define TABLE_POSTGRES(NAME, NOT_NULL)                                                                           \
    "CREATE TABLE " NAME " (id uuid NOT NULL PRIMARY KEY, name text NOT NULL, flag boolean" NOT_NULL             \
    ", small bigint" NOT_NULL ", big bigint" NOT_NULL ", ratio double precision" NOT_NULL ", text text" NOT_NULL \
    ", kind text" NOT_NULL ", wait bigint" NOT_NULL ", bytes bigint" NOT_NULL ", ref uuid" NOT_NULL ", moment "  \
    "timestamptz" NOT_NULL ");"

static const struct bp_migration migrations[] = {
    BP_MIGRATION(.version = 1, .name = "create_tables", .up = TABLE("plains", " NOT NULL") TABLE("nullables", ""),
                 .up_postgres = TABLE_POSTGRES("plains", " NOT NULL") TABLE_POSTGRES("nullables", "")),
    BP_MIGRATION_END};

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct filtered, db), BP_NEED_END};

static const struct bp_route routes[] = {BP_RESOURCE_ROUTE(BP_GET, "/plains", &plain, bp_resource_list),
                                         BP_RESOURCE_ROUTE(BP_POST, "/plains", &plain, bp_resource_create),
                                         BP_RESOURCE_ROUTE(BP_GET, "/nullables", &nullable, bp_resource_list),
                                         BP_RESOURCE_ROUTE(BP_POST, "/nullables", &nullable, bp_resource_create),
                                         BP_ROUTE_END};

BP_PLUGIN(.name = "filtered", .version = "1.0.0", .doc = "Rows to filter.", .self_size = sizeof(struct filtered),
          .needs = needs, .routes = routes, .migrations = migrations);
