/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <stdlib.h>

/* How often it may ask to be called at once before others have their turn. */
#define ROUNDS 8u

/* A socket of libcurl's that is watched. */
struct pool_socket {
    struct pool *pool;
    struct bp_watch *watch;
    curl_socket_t fd;
};

static void timer_fired(void *argument);

static void collect(struct pool *pool)
{
    const CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(pool->multi, &left))) {
        char *exchange = NULL;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange) == CURLE_OK)
            pool->ended(exchange, message->data.result);
    }
}

static void drive(struct pool *pool, curl_socket_t fd, int events)
{
    int running;
    pool->due = false;
    (void)curl_multi_socket_action(pool->multi, fd, events, &running);
    for (unsigned i = 0; i < ROUNDS && pool->due; i++) {
        pool->due = false;
        (void)curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    if (pool->due && !pool->timer)
        pool->timer = bp_timer_every(pool->host, BP_MILLISECOND, timer_fired, pool);
    collect(pool);
}

static void timer_fired(void *argument)
{
    struct pool *pool = argument;
    pool->timer = bp_timer_free(pool->timer); /* it is wanted once */
    drive(pool, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl's: from now on in so many milliseconds, and no longer when it was before; -1: not at all. */
static int set_timer(CURLM *multi, long milliseconds, void *argument)
{
    struct pool *pool = argument;
    (void)multi;
    pool->timer = bp_timer_free(pool->timer);
    pool->due = milliseconds == 0;
    if (milliseconds > 0)
        pool->timer = bp_timer_every(pool->host, milliseconds * BP_MILLISECOND, timer_fired, pool);
    return 0;
}

/* The socket may be gone after drive(). */
static void socket_ready(void *argument, unsigned events)
{
    const struct pool_socket *link = argument;
    int bits = (events & BP_READABLE ? CURL_CSELECT_IN : 0) | (events & BP_WRITABLE ? CURL_CSELECT_OUT : 0);
    drive(link->pool, link->fd, bits);
}

static void forget_socket(struct pool_socket *link)
{
    if (!link)
        return;
    (void)bp_watch_free(link->watch);
    free(link);
}

/* libcurl's. Where there is no memory for a watch, the transfer comes to its timeout: an error here would end all of them. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *argument, void *assigned)
{
    struct pool *pool = argument;
    struct pool_socket *link = assigned;
    unsigned events = (what & CURL_POLL_IN ? BP_READABLE : 0) | (what & CURL_POLL_OUT ? BP_WRITABLE : 0);
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        forget_socket(link);
        return 0;
    }
    if (link) {
        (void)bp_watch_change(link->watch, events);
        return 0;
    }
    link = calloc(1, sizeof(*link));
    if (!link)
        return 0;
    *link = (struct pool_socket){.pool = pool, .fd = fd};
    link->watch = bp_watch_new(pool->host, fd, events, socket_ready, link);
    if (!link->watch || curl_multi_assign(pool->multi, fd, link) != CURLM_OK)
        forget_socket(link);
    return 0;
}

int pool_init(struct pool *pool, struct bp_host *host, uint32_t kept, uint32_t per_host,
              void (*ended)(void *exchange, CURLcode code))
{
    *pool = (struct pool){.host = host, .multi = curl_multi_init(), .ended = ended};
    if (!pool->multi)
        return BP_NOMEM;
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)kept);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)per_host);
    return 0;
}

void pool_deinit(struct pool *pool)
{
    if (pool->multi)
        (void)curl_multi_cleanup(pool->multi);
    pool->multi = NULL;
    pool->timer = bp_timer_free(pool->timer);
}

bool pool_add(struct pool *pool, CURL *easy)
{
    if (curl_multi_add_handle(pool->multi, easy) != CURLM_OK)
        return false;
    drive(pool, CURL_SOCKET_TIMEOUT, 0);
    return true;
}

void pool_remove(struct pool *pool, CURL *easy)
{
    (void)curl_multi_remove_handle(pool->multi, easy);
    if (pool->due) /* another one has waited for its connection */
        drive(pool, CURL_SOCKET_TIMEOUT, 0);
}
