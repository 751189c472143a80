/* SPDX-License-Identifier: MIT */
/* One request on its way and its response: a transfer of libcurl's. */
#ifndef HTTP_CLIENT_EXCHANGE_H
#define HTTP_CLIENT_EXCHANGE_H

#include "client.h"
#include "received.h"

struct exchange {
    /* set by its owner */
    struct http_client *client;
    const struct bp_http_request *request;
    struct bp_arena *arena;
    bp_str url; /* with a NUL */
    /* state */
    bp_event ended;
    CURLcode code; /* when it has ended */
    CURL *easy;
    struct curl_slist *fields;
    struct received received;
    struct sockaddr_storage refused; /* the last address that the guard did not allow; family 0: none */
    char error[CURL_ERROR_SIZE];
};

/* Makes the transfer, without beginning it. BP_NOMEM or 0. */
int exchange_open(struct exchange *exchange);
/* Of one that has ended: 0 with the response, or a status or condition, with why. */
int exchange_result(const struct exchange *exchange, struct bp_http_response *response);
/* Of one that is in no pool. Accepts one that was not opened. */
void exchange_close(struct exchange *exchange);
/* For pool_init(). */
void exchange_ended(void *exchange, CURLcode code);

#endif
