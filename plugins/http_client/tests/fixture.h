/* SPDX-License-Identifier: MIT */
/* An instance of the plugin with a real loop; no server of ours. */
#ifndef HTTP_CLIENT_TESTS_FIXTURE_H
#define HTTP_CLIENT_TESTS_FIXTURE_H

#include "client.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"

/* One a process. */
extern struct http_client *client;

/* The loop, and the instance with default options. Aborts when anything fails. Then change options in client. */
void fixture_new(void);
/* init: its status. */
int fixture_init(void);
/* init and start; aborts unless both are fine. */
void fixture_start(void);
void fixture_free(void);

/* A call and what it came to; texts are cut. */
struct call {
    struct bp_http_request request;
    char url[256];
    bp_span limit; /* of the fiber; 0: none */
    struct bp_fiber *fiber;
    bool done;
    int status;
    unsigned answer;
    char body[4096], why[512], fields[1024]; /* "name=value\n" each */
    size_t body_len;
};
/* Begins it on a fiber of its own; call->done when it has ended. */
void call_begin(struct call *call);
/* Turns the loop until it has ended. */
void call_wait(struct call *call);
/* GET http://HOST:PORT/path of the origin, to the end. */
void call_get(struct call *call, const char *host, const char *path);
/* The URL of the origin; scheme "http". */
void call_url(struct call *call, const char *scheme, const char *host, const char *path);

void fixture_turn_before(bp_time limit, const char *condition);
/* Turns the loop until the condition holds; aborts after 20 s. */
#define fixture_until(condition)                      \
    do {                                              \
        bp_time limit_ = bp_clock() + 20 * BP_SECOND; \
        while (!(condition))                          \
            fixture_turn_before(limit_, #condition);  \
    } while (0)

/* All metrics. Valid until the next call. */
const char *fixture_metrics(void);

#endif
