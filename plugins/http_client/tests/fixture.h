/* SPDX-License-Identifier: MIT */
/* The plugin, with default options; servers to talk to are in origin.h. */
#ifndef HTTP_CLIENT_TESTS_FIXTURE_H
#define HTTP_CLIENT_TESTS_FIXTURE_H

#include "client.h"
#include "tests/support/fixture.h"

/* One a process. */
extern struct http_client *client;

/* The instance with default options. Then change options in client. */
void fixture_new(void);
/* init and start; aborts unless both are fine. */
void fixture_start(void);

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

#endif
