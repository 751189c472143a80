/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/cli/load.h"
#include "core/database/migrations.h"
#include "core/supervisor/data.h"

/* The first command on a new machine may be this one. */
static bool make_data_folder(const struct assembly *assembly)
{
    struct buffer problems = {0};
    bool fine = data_folder(bp_str_of(assembly->data_dir), &problems) == 0;
    if (!fine)
        fprintf(stderr, "backplane: %" BP_STR_FMT, BP_STR_ARG(buffer_str(&problems)));
    buffer_deinit(&problems);
    return fine;
}

int cli_migrate(const struct cli_options *options)
{
    struct cli_loaded loaded;
    unsigned applied = 0;
    bool fine = cli_load_or_say(options, "migrate", &loaded) && make_data_folder(loaded.assembly) &&
                migrations_up(loaded.assembly, false, &applied) == 0;
    if (fine)
        printf("schema up to date: %u migration%s applied\n", applied, applied == 1 ? "" : "s");
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}
