/* SPDX-License-Identifier: MIT */
#include "core/cli/cli.h"
#include "core/config/config.h"
#include "core/supervisor/supervisor.h"

int cli_run(const struct cli_options *options)
{
    const struct config_load_options load_options = {
        .file = options->config_file,
        .sets = options->sets,
        .set_count = options->set_count,
    };
    return supervisor_run(&load_options);
}
