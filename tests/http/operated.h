/* SPDX-License-Identifier: MIT */
/* A server of a test, as who operates it sees it: its configuration file, its admin socket, the command line; and what moody.c says. */
#ifndef HTTP_OPERATED_H
#define HTTP_OPERATED_H

#include <jansson.h>
#include <stddef.h>

#include "tests/support/server.h"

extern struct test_server server;

void begin(const char *config);
/* In place of its configuration. */
void write_config(const char *text);
/* … and takes that over. */
void expect_reloaded(const char *config);
/* What the admin socket answers; json_decref() it. */
json_t *ask(const char *line);
/* A member of the status that is a number, or how many a list of it has. */
long long number_of(const char *name);
void wait_workers(long long count);
/* Of the exposition that a worker writes: the number behind the first occurrence of name. */
double metric(const char *name);
/* Runs the executable with the server's configuration and environment; its output, and its exit code. */
int run_command(const char *arguments, char *ret_output, size_t size);

/* What moody.c says on this connection must be that, for so many times; the pid of who said it. */
long long hear(int fd, const char *says, long long count);
/* Asks until there is a reply. */
unsigned status_of(const char *target);

#endif
