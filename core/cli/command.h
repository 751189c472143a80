/* SPDX-License-Identifier: MIT */
/* The one table that parsing and --help read. */
#ifndef CORE_CLI_COMMAND_H
#define CORE_CLI_COMMAND_H

#include <stdio.h>

#include "core/cli/cli.h"

struct cli_command {
    const char *name;      /* one word, or two: "config print" */
    const char *arguments; /* as in the usage line: "METHOD PATH"; NULL: none */
    size_t min_arguments, max_arguments;
    int (*function)(const struct cli_options *options); /* NULL: a plugin brings it */
    const char *plugin, *plugin_command;                /* which, and its name there */
    const char *doc;                                    /* one line */
    const char *details;                                /* more, for `backplane NAME --help`; NULL: none */
};
/* Ends with a NULL name. */
extern const struct cli_command cli_commands[];

struct cli_option {
    const char *names;    /* "-c, --config" */
    const char *argument; /* NULL: a flag */
    const char *command;  /* the one it belongs to; NULL: all */
    const char *doc;
};

/* command NULL: all of them. */
void cli_print_help(FILE *out, const struct cli_command *command);

#endif
