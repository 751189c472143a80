/* SPDX-License-Identifier: MIT */
/* A real server of this build (or the executable TEST_SERVER: Criterion cannot run under ThreadSanitizer, the server can), started by the test that needs it: on 127.0.0.1, a free port, a folder of its own. */
#ifndef SUPPORT_SERVER_H
#define SUPPORT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SERVER_URL_SIZE = 512 };

struct test_server {
    pid_t pid;
    int port;
    char folder[64]; /* BACKPLANE_DATA; removed by server_stop */
    char log[96];    /* standard output and error */
    char database
        [SERVER_URL_SIZE]; /* of its Postgres database, not through a pooler; "": it has none of ours (see database.h) */
};

struct server_options {
    const char *config;             /* text of a configuration file; NULL: the one that is shipped */
    const char *const *environment; /* "NAME=value", NULL at the end; may be NULL */
    const char *const *arguments;   /* after "run", NULL at the end; may be NULL */
    const char *folder;             /* an existing data folder to use again; NULL: a fresh one */
    bool database; /* with a config of the test's own: DATABASE_URL and DIRECT_URL as with the shipped one */
    const struct test_server *replica_of; /* with either: on its database; NULL: on one of its own */
};

/* Starts it and waits until it answers /health/live (or, when that is no route, anything). Aborts the test with the server's output when it does not. The
 * environment is clean but for PATH, sanitizer options, HOST, PORT, BACKPLANE_DATA, a high RATE_LIMIT_MAX_REQUESTS, and, with the shipped configuration or
 * .database, and TEST_DATABASE (database.h), DATABASE_URL and DIRECT_URL. */
void server_start(struct test_server *server, const struct server_options *options);
/* The same, but for a server that is expected to refuse to start: its exit code; its output is in *ret_output (free it). */
int server_refuses(const struct server_options *options, char **ret_output);
/* SIGTERM, waits for its end, removes the folder. The exit code (128 + signal when killed). The test fails when a reply was not what the
 * OpenAPI document says (openapi.undocumented_reply in the log). */
int server_stop(struct test_server *server);
/* The same, but keeps the folder for another server_start. */
int server_stop_keep(struct test_server *server);
/* kill -9 to the supervisor and its workers; keeps the folder. */
void server_kill(struct test_server *server);
void server_remove_folder(struct test_server *server);
/* All that the server has written so far; free it. */
char *server_output(const struct test_server *server);
/* Waits until its output holds text; false after 10 s. */
bool server_wait_output(const struct test_server *server, const char *text);
/* The pids of its workers that serve, at most max; of those that run jobs. */
size_t server_workers(const struct test_server *server, pid_t *ret_pids, size_t max);
size_t server_job_workers(const struct test_server *server, pid_t *ret_pids, size_t max);

#endif
