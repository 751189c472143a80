/* SPDX-License-Identifier: MIT */
/* A server that lies: greets like Redis, then answers with bytes of the test's choice. On a thread, on a free port of 127.0.0.1. */
#ifndef REDIS_TESTS_FAKE_SERVER_H
#define REDIS_TESTS_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct fake_server;

/* What every connection says once it was asked something behind the greeting. The answer is borrowed. */
struct fake_answer {
    const char *bytes;
    size_t len;
    bool hang_up;  /* closes behind it; else it stays silent */
    bool to_greet; /* said at once, in place of the answers to the greeting */
};

struct fake_server *fake_server_start(const struct fake_answer *answer);
int fake_server_port(const struct fake_server *server);
/* Connections so far. */
unsigned fake_server_accepted(const struct fake_server *server);
/* NULL */
struct fake_server *fake_server_stop(struct fake_server *server);

#endif
