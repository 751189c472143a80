/* SPDX-License-Identifier: MIT */
/* A response as it comes in, until it is whole. */
#ifndef HTTP_CLIENT_RECEIVED_H
#define HTTP_CLIENT_RECEIVED_H

#include "backplane/iface/http_client.h"

#define RECEIVED_HEAD_MAX 65536u

struct received_part {
    char *bytes;
    size_t len, size;
};

struct received {
    struct received_part head, body;
    uint64_t body_max;
    bool head_ended; /* what follows are trailers, or the head of another response */
    bool too_large, no_memory;
    bool cuts; /* what is beyond body_max is left out … */
    bool cut;  /* … and there was more */
};

/* Both return how much was taken: less than len ends the transfer, and too_large, no_memory or cut says why. */
size_t received_field(struct received *received, const char *line, size_t len);
size_t received_body(struct received *received, const char *bytes, size_t len);
/* Copies it into the arena. BP_NOMEM or 0. */
int received_response(const struct received *received, struct bp_arena *arena, struct bp_http_response *response);
void received_deinit(struct received *received);

#endif
