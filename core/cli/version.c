/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "backplane/plugin.h"
#include "build_info.h"
#include "core/cli/cli.h"

int cli_version(const struct cli_options *options)
{
    (void)options;
    printf("backplane %s (plugin ABI %u.%u)\n", BACKPLANE_VERSION, BP_ABI_MAJOR, BP_ABI_MINOR);
    return CLI_OK;
}
