/* SPDX-License-Identifier: MIT */
/* The life of a connection; reading and writing are in input.c and output.c. */
#include "core/http/connection.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "backplane/plugin.h"
#include "backplane/status.h"
#include "core/http/connection_internal.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"
#include "core/worker/fiber.h"

enum { LINGER_SECONDS = 2 };

static void release(struct connection *c)
{
    struct server *server = c->server;
    loop_deadline_clear(server->loop, &c->deadline);
    loop_deadline_clear(server->loop, &c->write_deadline);
    server_inbuf_unref(server, c->in);
    c->in = NULL;
    output_release(c);
    server_connection_gone(server, c);
}

/* A dead connection goes when nothing on the stack or in a queue knows it any more. */
static void release_if_unused(struct connection *c)
{
    if (c->state == CONNECTION_DEAD && !c->request && !c->processing && !c->flush_task.queued)
        release(c);
}

/* The connection is dead. */
static void cut_request(struct connection *c, struct bp_request *rq)
{
    request_close_stream(rq, BP_STREAM_LEFT);
    if (!rq->detached) {
        fiber_cancel(rq->fiber, BP_CANCELED);
        return;
    }
    c->request = NULL;
    output_abandon(c, rq);
}

void connection_kill(struct connection *c)
{
    if (c->state != CONNECTION_DEAD) {
        c->state = CONNECTION_DEAD;
        event_del(&c->read_event);
        event_del(&c->write_event);
        close(c->fd);
        c->fd = -1;
        loop_deadline_clear(c->server->loop, &c->deadline);
        loop_deadline_clear(c->server->loop, &c->write_deadline);
        output_abort(c);
        if (c->request)
            cut_request(c, c->request);
    }
    release_if_unused(c);
}

/* All is sent, and the client may still be sending: closing now could destroy the reply on its way (RFC 9112 9.6). */
static void linger(struct connection *c)
{
    c->state = CONNECTION_LINGER;
    c->start = c->end = 0;
    shutdown(c->fd, SHUT_WR);
    if (c->fin) {
        connection_kill(c);
        return;
    }
    loop_deadline_set(c->server->loop, &c->deadline, loop_now(c->server->loop) + LINGER_SECONDS * BP_SECOND);
    connection_process(c);
}

/* A connection that waits for its next request needs no buffer. */
static void release_idle_input(struct connection *c)
{
    if (c->in && c->in->refs == 1 && c->start == c->end && (!c->request || c->request->detached)) {
        server_inbuf_unref(c->server, c->in);
        c->in = NULL;
        c->start = c->end = 0;
    }
}

/* After the last byte of out was sent. */
void connection_sent(struct connection *c)
{
    release_idle_input(c);
    if (c->waits_output)
        bp_event_set(&c->output);
    if (c->state == CONNECTION_LAST && !c->request) {
        if (c->fin)
            connection_kill(c);
        else
            linger(c);
    }
}

void connection_drain(struct connection *c)
{
    if (c->state != CONNECTION_OPEN)
        return;
    if (c->request) {
        c->request->close_after = true;
        if (c->request->detached) {
            request_close_stream(c->request, BP_STREAM_DRAINED);
            connection_finish_stream(c);
        }
        return;
    }
    if (connection_queued(c) > 0) {
        c->state = CONNECTION_LAST;
        return;
    }
    connection_kill(c);
}

static void set_deadline(struct connection *c, bp_span span)
{
    loop_deadline_set(c->server->loop, &c->deadline, loop_now(c->server->loop) + span);
}

/* The fiber's end: on the loop's stack. */
static void connection_request_ended(void *argument);

/* Before anybody has seen it. The same request when there is no memory for less of it. */
static struct bp_request *lean(struct connection *c, struct bp_request *rq, bp_str head)
{
    struct bp_request *leaner = server_request_lean(c->server, rq, head);
    if (!leaner)
        return rq;
    request_route(leaner, c->server->assembly, c->listener);
    return leaner;
}

/* head: its bytes in c->in. */
static void start_request(struct connection *c, struct bp_request *rq, bp_str head)
{
    struct server *server = c->server;
    rq->connection = c;
    request_route(rq, server->assembly, c->listener);
    if (rq->endpoint && rq->endpoint->route.streams && !rq->reject_status && rq->head.body == PARSER_NO_BODY)
        rq = lean(c, rq, head);
    const struct fiber_start start = {
        .function = request_run,
        .ended = connection_request_ended,
        .argument = rq,
        .arena = rq->arena,
        .request = rq,
        .deadline = server->options->request_timeout > 0 ? rq->started + server->options->request_timeout : BP_FOREVER,
        .name = "request",
    };
    if (!rq->inbuf && c->in) {
        rq->inbuf = c->in;
        c->in->refs++;
    }
    c->request = rq;
    c->discard = 0;
    c->discard_chunked = false;
    c->discarded = 0;
    if (!rq->reject_status && rq->head.body == PARSER_LENGTH) {
        c->discard = rq->head.content_length;
    } else if (!rq->reject_status && rq->head.body == PARSER_CHUNKED) {
        c->discard_chunked = true;
        c->chunked = (struct parser_chunked){0};
    }
    rq->body_state = c->discard || c->discard_chunked ? BODY_UNREAD : BODY_DONE;
    loop_deadline_clear(server->loop, &c->deadline);
    c->head_timed = false;
    server->stats.requests++;
    /* Already while readiness fails and listeners are still open (drain_delay): clients go elsewhere before their connections end. */
    if (server->draining || bp_draining())
        rq->close_after = true;
    struct bp_fiber *fiber; /* rq may be gone when it comes back */
    if (fiber_start(server->loop, &start, &fiber) < 0) {
        c->request = NULL;
        server_request_free(server, rq);
        connection_kill(c);
    }
}

/* Starts a request that was refused before it could be routed; its reply is the last one. */
static void reject(struct connection *c, unsigned status, const char *reason)
{
    struct bp_request *rq = server_request_new(c->server);
    if (!rq) {
        connection_kill(c);
        return;
    }
    rq->started = loop_now(c->server->loop);
    rq->reject_status = status;
    rq->reject_reason = reason;
    rq->close_after = true;
    c->start = c->end; /* what else came is not looked at */
    start_request(c, rq, BP_STR(""));
}

/* Frees an idle connection's buffer (unless a reply that is not yet sent still needs it) and sets how long it may stay silent. */
static void rest(struct connection *c)
{
    struct server *server = c->server;
    if (c->start == c->end) {
        release_idle_input(c);
        c->parser = (struct parser_state){0};
        if (c->served) {
            set_deadline(c, server->options->idle_timeout);
            c->head_timed = false;
        }
    } else if (!c->head_timed) {
        set_deadline(c, server->options->head_timeout);
        c->head_timed = true;
    }
}

/* One try at the next request. False when there is nothing to do before more bytes come. */
static bool next_request(struct connection *c)
{
    struct server *server = c->server;
    if ((c->discard > 0 || c->discard_chunked) && !input_discard_body(c))
        return false;
    if (c->start == c->end)
        return false;
    if (c->awaits_header && !connection_take_header(c))
        return false;
    struct bp_request *rq = server_request_new(server);
    if (!rq) {
        connection_kill(c);
        return false;
    }
    const char *reason = NULL;
    long length =
        parser_head(&c->parser, c->in->data + c->start, c->end - c->start, &server->limits, &rq->head, &reason);
    if (length == 0) {
        server_request_free(server, rq);
        return false;
    }
    c->parser = (struct parser_state){0};
    if (length < 0) {
        server_request_free(server, rq);
        reject(c, (unsigned)-length, reason);
        return true;
    }
    rq->started = loop_now(server->loop);
    if (!rq->head.keep_alive)
        rq->close_after = true;
    c->start += (uint32_t)length;
    start_request(c, rq, bp_str_n(c->in->data + c->start - (size_t)length, (size_t)length));
    return true;
}

/* Throws away what a client still sends that will hear no more. False when there is nothing at the moment, or never will be. */
static bool discard_input(struct connection *c)
{
    c->start = c->end = 0;
    int got = connection_fill(c);
    if (got < 0)
        connection_kill(c);
    return got > 0;
}

/* Without a complete request: what is left to do after the socket gave nothing (0), or its end. */
static void wait_or_end(struct connection *c, int got)
{
    if (got == 0)
        rest(c);
    else if (connection_queued(c) > 0)
        c->state = CONNECTION_LAST; /* after a FIN complete requests are answered; an incomplete one is not */
    else
        connection_kill(c);
}

/* Of the client of a detached stream. What else it sends waits, within the buffer and then within the kernel's. */
static void watch_departure(struct connection *c)
{
    while (c->readable && input_has_room(c) && connection_fill(c) > 0)
        ;
    if (c->fin || c->closed_edge)
        connection_kill(c);
    else
        release_idle_input(c);
}

/* While a request runs: nothing but its own input is waited for. */
static void attend(struct connection *c)
{
    if (c->request->detached)
        watch_departure(c);
    else if (c->waits_input && (c->start != c->end || c->readable || c->fin))
        bp_event_set(&c->input);
    else if (c->readable && !c->waits_input && input_has_room(c))
        connection_fill(c); /* notices a FIN, and reads ahead within the buffer */
}

void connection_process(struct connection *c)
{
    if (c->processing)
        return;
    c->processing = true;
    for (;;) {
        if (c->state == CONNECTION_LINGER) {
            if (discard_input(c))
                continue;
            break;
        }
        if (c->request) {
            attend(c);
            break;
        }
        if (c->state != CONNECTION_OPEN || connection_queued(c) > c->server->options->write_buffer)
            break;
        if (next_request(c))
            continue;
        if (c->state != CONNECTION_OPEN)
            break;
        int got = connection_fill(c);
        if (got > 0)
            continue;
        if (c->state == CONNECTION_OPEN)
            wait_or_end(c, got);
        break;
    }
    output_flush(c);
    c->processing = false;
    if (c->request && !c->request->detached && (c->fin || c->closed_edge) && c->state == CONNECTION_OPEN &&
        !c->deadline.armed)
        set_deadline(c, c->server->options->fin_grace);
    release_if_unused(c);
}

/* Completes the reply behind whatever is queued. False when the connection is gone. */
static bool finish_request(struct connection *c, struct bp_request *rq)
{
    struct server *server = c->server;
    c->request = NULL;
    /* Not waiting for a body that the client holds back until it hears 100, nor for a long one. */
    if (c->discard > DISCARD_LIMIT || rq->body_state == BODY_FAILED ||
        (rq->body_state == BODY_UNREAD && rq->head.expect_continue && c->start == c->end))
        rq->close_after = true;
    if (server->draining)
        rq->close_after = true;
    if (!output_finish(c, rq)) {
        output_abandon(c, rq);
        connection_kill(c);
        return false;
    }
    loop_deadline_clear(server->loop, &c->deadline);
    if (rq->close_after)
        c->state = CONNECTION_LAST;
    output_queue(c, rq);
    if (c->state == CONNECTION_OPEN && (c->discard > 0 || c->discard_chunked))
        set_deadline(c, server->options->body_timeout);
    return true;
}

void connection_finish_stream(struct connection *c)
{
    connection_flush_soon(c); /* first: who calls may be looking at connections, none goes before the turn's end */
    if (finish_request(c, c->request))
        c->readable = true; /* so that the next request is looked for then */
}

/* True when the reply stays open without its fiber. */
static bool stream_stays(struct connection *c, struct bp_request *rq)
{
    if (!rq->stream.closed)
        return false;
    if (rq->cut || c->server->draining) {
        request_close_stream(rq, rq->cut ? BP_STREAM_LEFT : BP_STREAM_DRAINED);
        return false;
    }
    request_detach(rq);
    loop_deadline_clear(c->server->loop, &c->deadline);
    return true;
}

static void connection_request_ended(void *argument)
{
    struct bp_request *rq = argument;
    struct connection *c = rq->connection;
    c->waits_input = c->waits_output = NULL;
    c->served = true;
    rq->fiber = NULL;
    rq->place = NULL;
    if (c->state == CONNECTION_DEAD) {
        c->request = NULL;
        output_abandon(c, rq);
        release_if_unused(c);
        return;
    }
    if ((stream_stays(c, rq) || finish_request(c, rq)) && !c->processing)
        connection_process(c);
}

static void on_deadline(struct loop_deadline *deadline)
{
    struct connection *c = (struct connection *)(void *)((char *)deadline - offsetof(struct connection, deadline));
    if (c->request) {
        if (c->waits_input && !c->fin) {
            c->body_late = true;
            bp_event_set(&c->input);
        } else {
            connection_kill(c); /* fin_grace is over */
        }
        return;
    }
    if (c->state == CONNECTION_OPEN && c->start != c->end && c->discard == 0 && !c->discard_chunked &&
        !c->awaits_header) {
        reject(c, 408, "The request head did not arrive in time");
        return;
    }
    connection_kill(c);
}

static void on_event(evutil_socket_t fd, short what, void *argument)
{
    struct connection *c = argument;
    (void)fd;
    c->readable = true;
    if (what & EV_CLOSED) {
        c->closed_edge = true;
        int error = 0;
        socklen_t len = sizeof(error);
        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0) {
            connection_kill(c);
            return;
        }
    }
    connection_process(c);
}

static struct bp_address address_of(const struct sockaddr *peer)
{
    if (peer->sa_family == AF_INET)
        return bp_address_of(bp_str_n((const char *)&((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4));
    if (peer->sa_family == AF_INET6)
        return bp_address_of(bp_str_n((const char *)&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, 16));
    return (struct bp_address){0};
}

int connection_new(struct server *server, int fd, const struct sockaddr *peer, bool proxied,
                   struct connection **ret_connection)
{
    struct connection *c = server->free_connections;
    if (c) {
        server->free_connections = c->next;
        server->free_connection_count--;
    } else {
        c = malloc(sizeof(*c));
        if (!c)
            return BP_NOMEM;
    }
    memset(c, 0, sizeof(*c));
    c->server = server;
    c->fd = fd;
    c->unsent_end = &c->unsent;
    c->deadline.function = on_deadline;
    output_init(c);
    c->peer = address_of(peer);
    connection_judge_peer(c);
    c->awaits_header = proxied;
    struct event_base *base = loop_base(server->loop);
    if (event_assign(&c->read_event, base, fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_event, c) < 0 ||
        event_assign(&c->write_event, base, fd, EV_WRITE | EV_ET, output_on_writable, c) < 0 ||
        event_add(&c->read_event, NULL) < 0) {
        free(c);
        return BP_NOMEM;
    }
    c->next = server->connections;
    if (c->next)
        c->next->prev = c;
    server->connections = c;
    server->stats.connections++;
    server->stats.accepted++;
    set_deadline(c, server->options->head_timeout);
    c->head_timed = true;
    *ret_connection = c;
    return 0;
}
