/* SPDX-License-Identifier: MIT */
#include "core/cli/load.h"
#include "core/cli/table.h"
#include "core/plugin/endpoints.h"

int cli_routes(const struct cli_options *options)
{
    struct cli_loaded loaded;
    bool fine = cli_load_or_say(options, "routes", &loaded);
    if (fine) {
        struct table table = {.columns = 5};
        table_row(&table, (const char *const[]){"METHOD", "PATH", "NAME", "PLUGIN", "PIPELINE"});
        for (size_t i = 0; i < loaded.assembly->endpoint_count; i++) {
            const struct endpoint *endpoint = &loaded.assembly->endpoints[i];
            table_row(&table,
                      (const char *const[]){endpoints_method_name(endpoint->route.method), endpoint->route.path,
                                            endpoint->route.name, endpoint->host->name, endpoint->pipeline->name.ptr});
        }
        table_print(&table, "", stdout);
        table_deinit(&table);
    }
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}
