/* SPDX-License-Identifier: MIT */
/* A configuration put together for a command that runs no server. */
#ifndef CORE_CLI_LOAD_H
#define CORE_CLI_LOAD_H

#include "core/cli/cli.h"
#include "core/plugin/assembly.h"

struct cli_loaded {
    struct report report;
    struct config *config;
    struct shared *shared;
    struct assembly *assembly;
};

/* Loads everything; process names it in the log. False: something is wrong, and in the report, which is not printed. Both ways cli_unload()
 * comes after. */
bool cli_load(const struct cli_options *options, const char *process, struct cli_loaded *loaded);
/* The same, and prints what was reported to standard error. */
bool cli_load_or_say(const struct cli_options *options, const char *process, struct cli_loaded *loaded);
/* The configuration alone, for a command that asks the server that runs: without plugins, and with environment variables that may lack. NULL: it is
 * wrong, and how is printed to standard error if say is true. config_free() it. */
struct config *cli_load_config(const struct cli_options *options, bool say);
/* The report as it stands, to standard error. */
void cli_print_report(const struct report *report);
void cli_unload(struct cli_loaded *loaded);

#endif
