/* SPDX-License-Identifier: MIT */
/* The command line: one table of commands and options, and what each command is. */
#ifndef CORE_CLI_CLI_H
#define CORE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_BEHIND = 3 /* migrate status */ };

#define CLI_ARGUMENTS 4

struct cli_options {
    const char *config_file; /* -c FILE, or the default */
    const char *const *sets; /* --set path=value, in the order given */
    size_t set_count;
    bool json;              /* check, migrate status, reload, status, errors */
    bool once;              /* top */
    bool markdown;          /* plugins NAME --markdown, config options --markdown, metrics --markdown */
    const char *to, *steps; /* of migrate down; NULL: not given */
    const char *plugin;     /* one that the command needs, configured or not; NULL: none */
    const char *arguments[CLI_ARGUMENTS];
    size_t argument_count;
};

/* Each returns an enum cli_exit. */
int cli_run(const struct cli_options *options);
int cli_check(const struct cli_options *options);
int cli_plugins(const struct cli_options *options);
int cli_routes(const struct cli_options *options);
int cli_metrics(const struct cli_options *options);
int cli_explain(const struct cli_options *options);
int cli_config_options(const struct cli_options *options);
int cli_config_print(const struct cli_options *options);
int cli_migrate(const struct cli_options *options);
int cli_migrate_status(const struct cli_options *options);
int cli_migrate_down(const struct cli_options *options);
int cli_migrate_new(const struct cli_options *options);
int cli_backup(const struct cli_options *options);
int cli_health(const struct cli_options *options);
int cli_reload(const struct cli_options *options);
int cli_status(const struct cli_options *options);
int cli_errors(const struct cli_options *options);
int cli_top(const struct cli_options *options);
int cli_version(const struct cli_options *options);
/* The command that a plugin brings, by its name there. */
int cli_plugin_command(const struct cli_options *options, const char *plugin, const char *name);

/* Parses the words and runs the command they name. */
int cli_main(int argc, char **argv);

#endif
