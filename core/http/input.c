/* SPDX-License-Identifier: MIT */
/* Reading from the socket. */
#include <errno.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/http/connection_internal.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"
#include "core/worker/fiber.h"

enum { MINIMUM_ROOM = 1024 };

bool input_has_room(const struct connection *c)
{
    return !c->in || c->in->cap - c->end >= MINIMUM_ROOM;
}

/* Room behind `end`. Bytes that a request's slices point into never move: then the rest goes to a fresh buffer. */
static bool make_room(struct connection *c)
{
    struct server *server = c->server;
    uint32_t have = c->end - c->start;
    if (!c->in) {
        c->in = server_inbuf_new(server, 0);
        c->start = c->end = 0;
        return c->in != NULL;
    }
    if (input_has_room(c))
        return true;
    if (c->in->refs == 1 && have + MINIMUM_ROOM <= c->in->cap) {
        memmove(c->in->data, c->in->data + c->start, have);
    } else {
        size_t cap = c->in->cap;
        while (have + MINIMUM_ROOM > cap)
            cap *= 2;
        struct inbuf *fresh = server_inbuf_new(server, cap);
        if (!fresh)
            return false;
        memcpy(fresh->data, c->in->data + c->start, have);
        server_inbuf_unref(server, c->in);
        c->in = fresh;
    }
    c->start = 0;
    c->end = have;
    return true;
}

int connection_fill(struct connection *c)
{
    if (c->fin)
        return -1;
    if (!c->readable)
        return 0;
    if (!make_room(c)) {
        connection_kill(c);
        return -1;
    }
    size_t room = c->in->cap - c->end;
    ssize_t got = read(c->fd, c->in->data + c->end, room);
    if (got > 0) {
        c->end += (uint32_t)got;
        /* A short read has drained the socket; what comes later makes a new edge. A FIN behind the data made this one already. */
        if ((size_t)got < room && !c->closed_edge)
            c->readable = false;
        return 1;
    }
    if (got < 0 && errno == EINTR)
        return connection_fill(c);
    c->readable = false;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    c->fin = true;
    if (got < 0)
        connection_kill(c);
    return -1;
}

int connection_await_input(struct connection *c)
{
    struct bp_request *rq = c->request;
    for (;;) {
        if (c->state == CONNECTION_DEAD)
            return BP_CANCELED;
        if (c->start != c->end)
            return 0;
        int got = connection_fill(c);
        if (got != 0)
            return c->state == CONNECTION_DEAD ? BP_CANCELED : 0;
        bp_event_init(&c->input);
        c->waits_input = rq;
        c->body_late = false;
        loop_deadline_set(c->server->loop, &c->deadline, loop_now(c->server->loop) + c->server->options->body_timeout);
        int status = bp_event_wait(&c->input, BP_FOREVER);
        c->waits_input = NULL;
        loop_deadline_clear(c->server->loop, &c->deadline);
        if (status < 0)
            return status;
        if (c->body_late)
            return 1;
    }
}

bool input_discard_body(struct connection *c)
{
    while (c->discard > 0 || c->discard_chunked) {
        if (c->start == c->end) {
            if (c->fin) {
                connection_kill(c);
                return false;
            }
            if (connection_fill(c) <= 0)
                return false;
        }
        size_t have = c->end - c->start, used = have;
        if (c->discard_chunked) {
            bp_str data;
            const char *reason;
            int result = parser_chunked(&c->chunked, bp_str_n(c->in->data + c->start, have), &c->server->limits, &used,
                                        &data, &reason);
            if (result < 0) {
                c->discard_chunked = false;
                c->state = CONNECTION_LAST;
                connection_flush_soon(c);
                return false;
            }
            if (result == 2)
                c->discard_chunked = false;
        } else {
            if (used > c->discard)
                used = (size_t)c->discard;
            c->discard -= used;
        }
        c->start += (uint32_t)used;
        c->discarded += used;
        if (c->discarded > DISCARD_LIMIT && (c->discard > 0 || c->discard_chunked)) {
            c->discard = 0;
            c->discard_chunked = false;
            c->state = CONNECTION_LAST;
            connection_flush_soon(c);
            return false;
        }
    }
    return true;
}
