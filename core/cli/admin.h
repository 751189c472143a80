/* SPDX-License-Identifier: MIT */
/* Asking the server that runs, at its admin socket. */
#ifndef CORE_CLI_ADMIN_H
#define CORE_CLI_ADMIN_H

#include <jansson.h>
#include <sys/un.h>

#include "core/cli/cli.h"

/* Where the server of this configuration has it. False: the reason was printed. */
bool cli_admin_find(const struct cli_options *options, struct sockaddr_un *ret_address);
/* The answer to a command, which takes so many seconds at most (0: as long as it takes); json_decref() it. NULL: error says why. */
#define CLI_ADMIN_ERROR 256
#define CLI_ADMIN_SECONDS 5
json_t *cli_admin_ask(const struct sockaddr_un *address, const char *command, unsigned seconds,
                      char error[CLI_ADMIN_ERROR]);
/* A command of the executable that is one of the socket's: finds, asks, and prints the answer, or with --json the JSON, or what went wrong. Returns
 * the exit code. */
int cli_admin_show(const struct cli_options *options, const char *command, void (*print)(const json_t *answer));
/* A member that is a text, else "". */
const char *cli_admin_text(const json_t *object, const char *name);

#endif
