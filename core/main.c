/* SPDX-License-Identifier: MIT */
#include "core/cli/cli.h"
#include "core/supervisor/supervisor.h"

int main(int argc, char **argv)
{
    int status;
    if (supervisor_child(argc, argv, &status))
        return status;
    return cli_main(argc, argv);
}
