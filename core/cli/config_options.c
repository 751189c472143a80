/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/cli/cli.h"
#include "core/cli/option_table.h"
#include "core/config/config.h"

/* The options that are the core's own; those of plugins: `backplane plugins NAME`. */
int cli_config_options(const struct cli_options *options)
{
    const struct {
        const char *where;
        const struct bp_field *rows;
    } groups[] = {{"server", config_server_rows},
                  {"server.listen", config_listen_rows},
                  {"plugins", config_plugin_rows},
                  {"pipelines", config_stage_rows},
                  {"routes", config_route_rows}};
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
        printf(options->markdown ? "%s### `%s`\n\n" : "%s%s\n", i > 0 ? "\n" : "", groups[i].where);
        option_table_print(groups[i].rows, options->markdown);
    }
    return CLI_OK;
}
