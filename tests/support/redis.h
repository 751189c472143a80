/* SPDX-License-Identifier: MIT */
/* A Redis of a test's own, on 127.0.0.1 and on a Unix socket in its folder. It keeps nothing on disk: started again, it is empty. */
#ifndef SUPPORT_REDIS_H
#define SUPPORT_REDIS_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/service.h"

enum { REDIS_URL_SIZE = 256 };
enum redis_way { REDIS_TCP, REDIS_SOCKET, REDIS_TLS };

struct test_redis {
    pid_t pid;
    int port, tls_port;               /* tls_port 0: none */
    char folder[SERVICE_FOLDER_SIZE]; /* log, redis.sock, server.crt */
    char password[64];                /* "": none is asked for */
    const char *settings;
};

struct redis_options {
    const char *password; /* of letters and digits; NULL: none */
    bool tls; /* on tls_port, too, with folder/server.crt, for "localhost" and 127.0.0.1, signed by itself */
    const char *settings; /* lines of redis.conf; may be NULL; borrowed until redis_stop() */
};

/* Aborts with its log when it does not start. */
void redis_start(struct test_redis *redis, const struct redis_options *options);
/* Ends it and removes all of it. */
void redis_stop(struct test_redis *redis);
/* kill -9; redis_again() starts it on the same ports, empty. */
void redis_kill(struct test_redis *redis);
void redis_again(struct test_redis *redis);
/* SIGSTOP and SIGCONT: connections stay and are even accepted, nothing is answered. */
void redis_pause(struct test_redis *redis);
void redis_resume(struct test_redis *redis);
/* redis://:PASSWORD@127.0.0.1:PORT/DATABASE, rediss://..., unix://:PASSWORD@/path?db=DATABASE */
void redis_url(const struct test_redis *redis, enum redis_way way, unsigned database, char ret_url[REDIS_URL_SIZE]);
/*
 * Sends one command in the inline form ("GET a") on a connection of its own and returns the raw reply ("$1\r\nb\r\n"), at most 64 KiB of it; free() it.
 * The reply is taken to have come when a read brings CRLF at its end.
 */
char *redis_ask(int port, const char *password, const char *command);

#endif
