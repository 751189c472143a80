/* SPDX-License-Identifier: MIT */
/* Accepting, draining, and the pools that connections draw from. */
#include "core/http/server_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/http/request.h"

enum { ACCEPTS_PER_TURN = 8, INBUF_SIZE = 16 * 1024, POOLED_INBUFS = 256, POOLED_CONNECTIONS = 256 };

static const struct timeval accept_pause = {.tv_usec = 100 * 1000};

struct inbuf *server_inbuf_exact(size_t cap)
{
    struct inbuf *inbuf = malloc(sizeof(*inbuf) + cap);
    if (!inbuf)
        return NULL;
    *inbuf = (struct inbuf){.refs = 1, .cap = (uint32_t)cap};
    return inbuf;
}

struct inbuf *server_inbuf_new(struct server *server, size_t cap)
{
    struct inbuf *inbuf = server->inbufs;
    if (cap <= INBUF_SIZE && inbuf) {
        server->inbufs = inbuf->next;
        server->inbuf_count--;
    } else {
        if (cap < INBUF_SIZE)
            cap = INBUF_SIZE;
        return server_inbuf_exact(cap);
    }
    inbuf->next = NULL;
    inbuf->refs = 1;
    return inbuf;
}

void server_inbuf_unref(struct server *server, struct inbuf *inbuf)
{
    if (!inbuf || --inbuf->refs > 0)
        return;
    if (inbuf->cap == INBUF_SIZE && server->inbuf_count < POOLED_INBUFS) {
        inbuf->next = server->inbufs;
        server->inbufs = inbuf;
        server->inbuf_count++;
    } else {
        free(inbuf);
    }
}

static void check_drained(struct server *server)
{
    void (*drained)(void *) = server->drained;
    if (!server->draining || server->connections || !drained)
        return;
    server->drained = NULL;
    drained(server->drained_argument);
}

static void set_accepting(struct server *server, bool accepting)
{
    for (struct listener *l = server->listeners; l; l = l->next) {
        if (accepting == !l->paused)
            continue;
        if (accepting)
            event_add(&l->event, NULL);
        else
            event_del(&l->event);
        l->paused = !accepting;
    }
}

static bool at_cap(const struct server *server)
{
    return server->stats.connections >= server->options->max_connections;
}

void server_connection_gone(struct server *server, struct connection *connection)
{
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->prev = connection->prev;
    bool was_full = at_cap(server);
    server->stats.connections--;
    if (was_full && !server->draining && !evtimer_pending(server->resume_event, NULL))
        set_accepting(server, true);
    if (server->free_connection_count < POOLED_CONNECTIONS) {
        connection->next = server->free_connections;
        server->free_connections = connection;
        server->free_connection_count++;
    } else {
        free(connection);
    }
    check_drained(server);
}

static int take(struct server *server, int fd, const struct sockaddr *peer, const char *listener, bool proxied)
{
    struct connection *c;
    int status = connection_new(server, fd, peer, proxied, &c);
    if (status < 0)
        close(fd);
    else
        c->listener = listener;
    return status;
}

int server_take(struct server *server, int fd)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(peer);
    if (evutil_make_socket_nonblocking(fd) < 0 || evutil_make_socket_closeonexec(fd) < 0) {
        close(fd);
        return BP_ERROR;
    }
    if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
        peer.ss_family = AF_UNIX;
    return take(server, fd, (const struct sockaddr *)&peer, NULL, false);
}

static void on_resume(evutil_socket_t fd, short what, void *argument)
{
    struct server *server = argument;
    (void)fd;
    (void)what;
    if (!server->draining && !at_cap(server))
        set_accepting(server, true);
}

static void on_acceptable(evutil_socket_t fd, short what, void *argument)
{
    struct listener *l = argument;
    struct server *server = l->server;
    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(peer);
        if (at_cap(server)) {
            set_accepting(server, false);
            return;
        }
        int accepted = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
                bp_log(NULL, BP_LOG_WARN, "server.accept_paused",
                       "Out of descriptors or memory: accepting pauses for 100 ms", bp_log_int("errno", errno),
                       bp_log_int("connections", (int64_t)server->stats.connections));
                set_accepting(server, false);
                evtimer_add(server->resume_event, &accept_pause);
            }
            return;
        }
        if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6)
            (void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        (void)take(server, accepted, (const struct sockaddr *)&peer, l->name, l->proxy_protocol);
    }
}

int server_new(struct loop *loop, struct assembly *assembly, struct server **ret_server)
{
    struct server *server = calloc(1, sizeof(*server));
    if (!server)
        return BP_NOMEM;
    const struct config_server *o = &assembly->config->server;
    server->loop = loop;
    server->assembly = assembly;
    server->options = o;
    server->limits = (struct parser_limits){.target = (uint32_t)o->max_target,
                                            .field = (uint32_t)o->max_field,
                                            .head = (uint32_t)o->max_head,
                                            .fields = o->max_fields,
                                            .trailer = (uint32_t)o->max_trailer};
    server->resume_event = evtimer_new(loop_base(loop), on_resume, server);
    if (!server->resume_event) {
        free(server);
        return BP_NOMEM;
    }
    *ret_server = server;
    return 0;
}

int server_listen(struct server *server, int fd, const char *name, bool proxy_protocol)
{
    struct listener *l = calloc(1, sizeof(*l));
    if (!l)
        return BP_NOMEM;
    l->server = server;
    l->fd = fd;
    l->proxy_protocol = proxy_protocol;
    l->name = name;
    if (event_assign(&l->event, loop_base(server->loop), fd, EV_READ | EV_PERSIST, on_acceptable, l) < 0 ||
        event_add(&l->event, NULL) < 0) {
        free(l);
        return BP_ERROR;
    }
    l->next = server->listeners;
    server->listeners = l;
    return 0;
}

static void stop_accepting(struct server *server, void (*drained)(void *argument), void *argument)
{
    server->drained = drained;
    server->drained_argument = argument;
    server->draining = true;
    set_accepting(server, false);
    evtimer_del(server->resume_event);
}

void server_retire(struct server *server, void (*drained)(void *argument), void *argument)
{
    stop_accepting(server, drained, argument);
    check_drained(server);
}

void server_drain(struct server *server, void (*drained)(void *argument), void *argument)
{
    stop_accepting(server, drained, argument);
    for (struct connection *c = server->connections, *next; c; c = next) {
        next = c->next;
        connection_drain(c);
    }
    check_drained(server);
}

void server_abort(struct server *server)
{
    server->draining = true;
    set_accepting(server, false);
    for (struct connection *c = server->connections, *next; c; c = next) {
        next = c->next;
        connection_kill(c);
    }
    check_drained(server);
}

struct server *server_free(struct server *server)
{
    if (!server)
        return NULL;
    for (struct listener *l = server->listeners, *next; l; l = next) {
        next = l->next;
        event_del(&l->event);
        free(l);
    }
    event_free(server->resume_event);
    for (struct inbuf *b = server->inbufs, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    server_requests_free(server);
    for (struct connection *c = server->free_connections, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    for (unsigned i = 0; i < server->out_count; i++)
        buffer_deinit(&server->outs[i]);
    buffer_deinit(&server->scratch);
    free(server);
    return NULL;
}

struct server_stats server_stats(const struct server *server)
{
    struct server_stats stats = server->stats;
    stats.limit = server->options->max_connections;
    return stats;
}
