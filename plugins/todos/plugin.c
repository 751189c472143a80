/* SPDX-License-Identifier: MIT */
/* todos: each account's list of things to do. */
#include "todos.h"
#include "todos_migrations.h"

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct todos, db),
    BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct todos, identity),
    BP_NEED_END,
};

struct todo_params {
    bp_uuid id;
};

static const struct bp_field params[] = {
    BP_UUID(struct todo_params, id, .flags = BP_REQUIRED, .invalid = "Invalid todo ID format",
            .doc = "The todo's identifier."),
    BP_END,
};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/todos", .handler = todos_create, .name = "todos.create",
             .doc = "Adds a todo.", .body = create_body, .reply = todo_fields),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/todos", .handler = todos_list, .name = "todos.list",
             .doc = "A page of the account's todos.", .query = list_query, .query_size = sizeof(struct list_query),
             .reply = list_reply, .cache_tag = "todos:user:{user}"),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/todos/{id}", .handler = todos_get, .name = "todos.get",
             .doc = "One todo.", .params = params, .params_size = sizeof(struct todo_params), .reply = todo_fields,
             .cache_tag = "todos:user:{user}"),
    BP_ROUTE(.method = BP_PATCH, .path = "/api/v1/todos/{id}", .handler = todos_update, .name = "todos.update",
             .doc = "Changes the members that are given.", .params = params, .params_size = sizeof(struct todo_params),
             .body = update_body, .reply = todo_fields),
    BP_ROUTE(.method = BP_DELETE, .path = "/api/v1/todos/{id}", .handler = todos_delete, .name = "todos.delete",
             .doc = "Removes a todo.", .params = params, .params_size = sizeof(struct todo_params)),
    BP_ROUTE_END,
};

static int todos_init(struct bp_host *host, void *self)
{
    struct todos *todos = self;
    todos->host = host;
    return 0;
}

BP_PLUGIN(.name = "todos", .version = "1.0.0", .doc = "Each account's list of things to do.",
          .self_size = sizeof(struct todos), .needs = needs, .routes = routes, .migrations = todos_migrations,
          .init = todos_init);
