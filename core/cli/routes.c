/* SPDX-License-Identifier: MIT */
#include "backplane/arena.h"
#include "core/cli/load.h"
#include "core/cli/table.h"
#include "core/plugin/endpoints.h"

/* Columns that only some configurations have something for. */
struct optional_columns {
    bool access, listener;
};

static struct optional_columns wanted_columns(const struct assembly *assembly)
{
    struct optional_columns wanted = {0};
    for (size_t i = 0; i < assembly->endpoint_count; i++) {
        const struct endpoint *endpoint = &assembly->endpoints[i];
        wanted.access = wanted.access || endpoint->route.role || endpoint->route.scope;
        wanted.listener = wanted.listener || endpoint->listener;
    }
    return wanted;
}

/* "admin", "todos:write", "admin, users:read" */
static const char *access_of(const struct assembly *assembly, const struct bp_route *route)
{
    if (route->role && route->scope)
        return bp_arena_printf(assembly->arena, "%s, %s", route->role, route->scope).ptr;
    return route->role ? route->role : route->scope ? route->scope : "-";
}

static void add_row(struct table *table, struct optional_columns wanted, const char *const cells[5], const char *access,
                    const char *listener)
{
    const char *row[TABLE_COLUMNS];
    size_t count = 0;
    for (size_t i = 0; i < 5; i++)
        row[count++] = cells[i];
    if (wanted.access)
        row[count++] = access;
    if (wanted.listener)
        row[count++] = listener;
    table->columns = count;
    table_row(table, row);
}

int cli_routes(const struct cli_options *options)
{
    struct cli_loaded loaded;
    bool fine = cli_load_or_say(options, "routes", &loaded);
    if (fine) {
        struct table table = {0};
        struct optional_columns wanted = wanted_columns(loaded.assembly);
        add_row(&table, wanted, (const char *const[5]){"METHOD", "PATH", "NAME", "PLUGIN", "PIPELINE"}, "ACCESS",
                "LISTENER");
        for (size_t i = 0; i < loaded.assembly->endpoint_count; i++) {
            const struct endpoint *endpoint = &loaded.assembly->endpoints[i];
            add_row(&table, wanted,
                    (const char *const[5]){endpoints_method_name(endpoint->route.method), endpoint->route.path,
                                           endpoint->route.name, endpoint->host->name, endpoint->pipeline->name.ptr},
                    access_of(loaded.assembly, &endpoint->route), endpoint->listener ? endpoint->listener : "-");
        }
        table_print(&table, "", stdout);
        table_deinit(&table);
    }
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}
