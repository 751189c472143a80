/* SPDX-License-Identifier: MIT */
/* libcurl's multi interface on the worker's loop: its sockets are watched, its one timer is a timer of ours. With the connections that it keeps. */
#ifndef HTTP_CLIENT_POOL_H
#define HTTP_CLIENT_POOL_H

#include <curl/curl.h>

#include "backplane/backplane.h"

struct pool {
    struct bp_host *host;
    CURLM *multi;
    struct bp_timer *timer;
    bool due; /* it wants to be called at once */
    /* Called on the loop when a transfer has ended, with its CURLOPT_PRIVATE; it is removed by its owner, later. */
    void (*ended)(void *exchange, CURLcode code);
};

/* kept: idle connections at most; per_host: connections to one host at most, 0: any number. BP_NOMEM or 0. */
int pool_init(struct pool *pool, struct bp_host *host, uint32_t kept, uint32_t per_host,
              void (*ended)(void *exchange, CURLcode code));
/* Closes the kept connections. Accepts zeroes. No transfer may be left. */
void pool_deinit(struct pool *pool);
/* Begins a transfer. False when out of memory. */
bool pool_add(struct pool *pool, CURL *easy);
/* Also one that has not ended: it is given up. */
void pool_remove(struct pool *pool, CURL *easy);

#endif
