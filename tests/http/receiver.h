/* SPDX-License-Identifier: MIT */
/*
 * A server of this test's that webhooks are sent to: HTTP/1.1 on all addresses of this machine. It behaves as the first segment of a path
 * says (the rest is the test's own): /ok, /status/503, /later/<Retry-After>, /gone, /switch (500 until receiver_heal()), /silent, /dribble, /huge,
 * /large, /redirect, /reset, /garbage; /held and /held/later answer once there was receiver_heal(), with 200 or with 429 and an hour of Retry-After.
 */
#ifndef HTTP_RECEIVER_H
#define HTTP_RECEIVER_H

#include <stdbool.h>

struct receiver_request {
    char path[256];
    char head[4096];
    char body[65536];
};

extern int receiver_port;

void receiver_start(void);
void receiver_stop(void);
/* From now on /switch answers with 200, and /held answers. */
void receiver_heal(void);
/* How many requests there were for this path. */
unsigned receiver_count(const char *path);
/* Waits until there were so many; fails the test when there are not. The last of them in *ret_request, which may be NULL. */
void receiver_wait(const char *path, unsigned count, struct receiver_request *ret_request);
/* The value of a field of its head, in a buffer of its own; "" without it. */
const char *receiver_field(const struct receiver_request *request, const char *name);

#endif
