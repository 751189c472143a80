/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/cli/load.h"
#include "core/plugin/migrate.h"

int cli_migrate(const struct cli_options *options)
{
    struct cli_loaded loaded;
    unsigned applied = 0;
    bool fine = cli_load_or_say(options, "migrate", &loaded) && migrations_run(loaded.assembly, &applied) == 0;
    if (fine)
        printf("schema up to date: %u migration%s applied\n", applied, applied == 1 ? "" : "s");
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}
