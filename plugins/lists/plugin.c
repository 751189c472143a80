/* SPDX-License-Identifier: MIT */
/* lists: each account's lists of todos. */
#include "backplane/iface/database.h"
#include "backplane/iface/identity.h"
#include "backplane/iface/todos.h"
#include "backplane/resource.h"
#include "lists.h"

struct list {
    uint64_t set, null;
    bp_uuid id;
    bp_str name;
    bp_uuid user_id;
    bp_str color;
    bool archived;
    double position;
    bp_date created_at, updated_at;
    int64_t version;
};

/* "#1e90ff" */
static void check_color(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    const bp_str *color = value;
    bool fine = color->len == 7 && color->ptr[0] == '#';
    for (size_t i = 1; fine && i < 7; i++)
        fine = (color->ptr[i] >= '0' && color->ptr[i] <= '9') || (color->ptr[i] >= 'a' && color->ptr[i] <= 'f');
    if (color->ptr && !fine)
        bp_problem_add(problems, row, "invalid", "Color must be like #1e90ff");
}

static const char *const color_patterns[] = {"^#[0-9a-fA-F]{6}$", NULL};

static const struct bp_field fields[] = {
    BP_PRESENCE(struct list, set, null),
    BP_UUID(struct list, id, .flags = BP_READ_ONLY),
    BP_TEXT(struct list, name, .flags = BP_REQUIRED | BP_TRIM | BP_SORT, .min = 1, .max = 200,
            .doc = "What it is called.", .example = "Groceries"),
    BP_UUID(struct list, user_id, .flags = BP_READ_ONLY, .doc = "Whose it is."),
    BP_TEXT(struct list, color, .flags = BP_NULLABLE | BP_TRIM | BP_LOWER, .max = 7, .check = check_color,
            .patterns = color_patterns, .doc = "How to show it.", .example = "#1e90ff"),
    BP_BOOL(struct list, archived, .def = "false", .flags = BP_FILTER | BP_SORT, .doc = "Whether it is put away."),
    BP_F64(
        struct list, position, .flags = BP_READ_ONLY | BP_SORT,
        .doc =
            "Its place in the order that the account gives its lists, by moving them; new ones are behind all others."),
    BP_DATE(struct list, created_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_DATE(struct list, updated_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_I64(struct list, version, .flags = BP_READ_ONLY, .doc = "Counts changes; the ETag."),
    BP_END,
};

/* Of a deletion in a bulk, which does not empty it before. */
static int refused(struct bp_request *rq, void *self, uint32_t write, int condition)
{
    (void)self;
    bool full = write == BP_WRITE_DELETE && condition == BP_DB_FOREIGN;
    int status = full ? bp_fail(rq, 409, "list.not_empty", "List has todos: delete it by itself")
                      : bp_fail(rq, 409, "list.conflict", "List conflicts with another");
    return status < 0 ? status : BP_REFUSED;
}

static const struct bp_resource lists =
    BP_RESOURCE(.name = "list", .plural = "lists", .table = "lists", .fields = fields,
                .object_size = sizeof(struct list), .db = offsetof(struct lists, db),
                .identity = offsetof(struct lists, identity), .owner = "user_id", .version = "version",
                .created = "created_at", .updated = "updated_at", .sort = "position", .position = "position",
                .refused = refused);

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct lists, db),
    BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct lists, identity),
    BP_NEED(BP_TODOS, BP_TODOS_VERSION, struct lists, todos),
    BP_NEED_END,
};

#define PATH "/api/v1/lists"
static const struct bp_route routes[] = {
    BP_RESOURCE_ROUTE(BP_GET, PATH, &lists, bp_resource_list),
    BP_RESOURCE_ROUTE(BP_POST, PATH, &lists, bp_resource_create),
    BP_RESOURCE_ROUTE(BP_POST, PATH "/bulk", &lists, bp_resource_bulk),
    BP_RESOURCE_ROUTE(BP_GET, PATH "/{id}", &lists, bp_resource_get),
    BP_RESOURCE_ROUTE(BP_PATCH, PATH "/{id}", &lists, bp_resource_update),
    BP_RESOURCE_ROUTE(BP_PUT, PATH "/{id}", &lists, bp_resource_replace),
    BP_ROUTE(.method = BP_DELETE, .path = PATH "/{id}", .handler = lists_remove, .resource = &lists,
             .name = "lists.delete", .doc = "Removes it, and keeps or deletes the todos that are in it.",
             .query = removal_query, .query_size = sizeof(struct removal_query)),
    BP_RESOURCE_ROUTE(BP_POST, PATH "/{id}/move", &lists, bp_resource_move),
    BP_ROUTE_END,
};

BP_PLUGIN(.name = "lists", .version = "1.0.0", .doc = "Each account's lists of todos.",
          .self_size = sizeof(struct lists), .needs = needs, .routes = routes);
