/* SPDX-License-Identifier: MIT */
#include "core/cli/load.h"
#include "core/cli/table.h"
#include "core/plugin/endpoints.h"

static bool names_listener(const struct assembly *assembly)
{
    for (size_t i = 0; i < assembly->endpoint_count; i++)
        if (assembly->endpoints[i].listener)
            return true;
    return false;
}

int cli_routes(const struct cli_options *options)
{
    struct cli_loaded loaded;
    bool fine = cli_load_or_say(options, "routes", &loaded);
    if (fine) {
        struct table table = {.columns = names_listener(loaded.assembly) ? 6 : 5};
        table_row(&table, (const char *const[]){"METHOD", "PATH", "NAME", "PLUGIN", "PIPELINE", "LISTENER"});
        for (size_t i = 0; i < loaded.assembly->endpoint_count; i++) {
            const struct endpoint *endpoint = &loaded.assembly->endpoints[i];
            table_row(&table,
                      (const char *const[]){endpoints_method_name(endpoint->route.method), endpoint->route.path,
                                            endpoint->route.name, endpoint->host->name, endpoint->pipeline->name.ptr,
                                            endpoint->listener ? endpoint->listener : "-"});
        }
        table_print(&table, "", stdout);
        table_deinit(&table);
    }
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}
