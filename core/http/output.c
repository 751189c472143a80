/* SPDX-License-Identifier: MIT */
/* Writing to the socket: replies gather in one buffer and go out with one write at the end of the turn. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/http/connection_internal.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"

enum { POOLED_OUT_SIZE = 32 * 1024, WRITES_PER_TURN = 16 };

static void on_write_deadline(struct loop_deadline *deadline)
{
    connection_kill((struct connection *)(void *)((char *)deadline - offsetof(struct connection, write_deadline)));
}

/* Tells the requests whose last byte is out. */
static void settle(struct connection *c)
{
    uint64_t sent = c->position - connection_queued(c);
    bp_time now = bp_clock();
    while (c->unsent && c->unsent->end_position <= sent) {
        struct bp_request *rq = c->unsent;
        c->unsent = rq->next;
        if (!c->unsent)
            c->unsent_end = &c->unsent;
        request_call_on_done(rq, BP_SENT, now);
        server_request_free(c->server, rq);
    }
}

void output_release(struct connection *c)
{
    struct server *server = c->server;
    if (c->out.cap == 0)
        return;
    if (c->out.cap <= POOLED_OUT_SIZE && server->out_count < sizeof(server->outs) / sizeof(server->outs[0])) {
        c->out.len = 0;
        c->out.failed = false;
        server->outs[server->out_count++] = c->out;
    } else {
        buffer_deinit(&c->out);
    }
    c->out = (struct buffer){0};
    c->out_sent = 0;
}

static void flush(struct connection *c)
{
    if (c->state == CONNECTION_DEAD)
        return;
    for (int i = 0; i < WRITES_PER_TURN && connection_queued(c) > 0; i++) {
        ssize_t sent = send(c->fd, c->out.ptr + c->out_sent, connection_queued(c), MSG_NOSIGNAL);
        if (sent > 0) {
            c->out_sent += (size_t)sent;
            if (c->write_blocked) /* progress */
                loop_deadline_set(c->server->loop, &c->write_deadline,
                                  loop_now(c->server->loop) + c->server->options->write_timeout);
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (!c->write_blocked) {
                c->write_blocked = true;
                loop_deadline_set(c->server->loop, &c->write_deadline,
                                  loop_now(c->server->loop) + c->server->options->write_timeout);
            }
            event_add(&c->write_event, NULL);
            settle(c);
            return;
        }
        connection_kill(c);
        return;
    }
    settle(c);
    if (connection_queued(c) > 0) { /* fair to the others: the rest in the next turn */
        loop_at_turn_end(c->server->loop, &c->flush_task);
        return;
    }
    if (c->write_blocked) {
        c->write_blocked = false;
        loop_deadline_clear(c->server->loop, &c->write_deadline);
    }
    output_release(c);
    connection_sent(c);
}

void output_flush(struct connection *c)
{
    if (connection_queued(c) == 0 || c->write_blocked)
        return;
    /* While bytes of it are in the processor's cache, and the request's memory for the next one. What is more to do comes at the end of the turn. */
    if (c->state == CONNECTION_OPEN && !c->request && c->start == c->end && !c->readable)
        flush(c);
    else
        connection_flush_soon(c);
}

/* Sends, then goes on with what back-pressure held up. */
static void flush_and_process(struct connection *c)
{
    c->processing = true; /* keeps it alive until connection_process */
    flush(c);
    c->processing = false;
    if (c->state != CONNECTION_OPEN || (!c->request && (c->start != c->end || c->readable)))
        connection_process(c);
}

static void on_turn_end(struct loop_task *task)
{
    struct connection *c = (struct connection *)(void *)((char *)task - offsetof(struct connection, flush_task));
    if (c->state == CONNECTION_DEAD)
        connection_kill(c); /* frees it when nothing else holds it */
    else if (!c->write_blocked)
        flush_and_process(c);
}

void output_on_writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    flush_and_process(argument);
}

void output_init(struct connection *c)
{
    c->flush_task.function = on_turn_end;
    c->write_deadline.function = on_write_deadline;
}

void connection_flush_soon(struct connection *c)
{
    loop_at_turn_end(c->server->loop, &c->flush_task);
}

static void borrow_buffer(struct connection *c)
{
    struct server *server = c->server;
    if (c->out.cap == 0 && server->out_count > 0)
        c->out = server->outs[--server->out_count];
}

bool connection_write(struct connection *c, bp_str bytes)
{
    borrow_buffer(c);
    if (c->out_sent > 0 && c->out_sent >= c->out.len / 2) { /* what was sent makes room */
        memmove(c->out.ptr, c->out.ptr + c->out_sent, connection_queued(c));
        c->out.len -= c->out_sent;
        c->out_sent = 0;
    }
    size_t before = c->out.len;
    buffer_add(&c->out, bytes);
    c->position += c->out.len - before;
    connection_flush_soon(c);
    return !c->out.failed;
}

bool connection_write_now(struct connection *c, const bp_str *pieces, size_t count)
{
    struct iovec parts[4];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    size_t taken = 0;
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].ptr, .iov_len = pieces[i].len};
    if (connection_queued(c) == 0 && !c->write_blocked) {
        ssize_t sent = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        taken = sent > 0 ? (size_t)sent : 0; /* whatever the error is: flush() will meet it, too */
        c->position += taken;
    }
    for (size_t i = 0; i < count; i++) {
        size_t gone = taken < pieces[i].len ? taken : pieces[i].len;
        taken -= gone;
        if (gone < pieces[i].len && !connection_write(c, bp_str_n(pieces[i].ptr + gone, pieces[i].len - gone)))
            return false;
    }
    return true;
}

bool output_finish(struct connection *c, struct bp_request *rq)
{
    size_t before;
    borrow_buffer(c);
    before = c->out.len;
    if (rq->cut && !rq->chunked)
        return false;
    if (rq->streaming) {
        if (rq->cut || !rq->chunked)
            rq->close_after = true; /* a stream without its last chunk is seen to be incomplete */
        else if (rq->head.method != BP_HEAD)
            buffer_add(&c->out, BP_STR("0\r\n\r\n"));
    } else {
        request_call_on_head(rq);
        if (!reply_encode(rq, &c->out, !rq->close_after))
            return false;
    }
    c->position += c->out.len - before;
    rq->end_position = c->position;
    rq->finished = true;
    return !c->out.failed;
}

void output_queue(struct connection *c, struct bp_request *rq)
{
    if (!rq->on_done) { /* nobody wants to know when it was sent */
        server_request_free(c->server, rq);
        return;
    }
    rq->next = NULL;
    *c->unsent_end = rq;
    c->unsent_end = &rq->next;
}

void output_abandon(struct connection *c, struct bp_request *rq)
{
    uint64_t sent = c->position - connection_queued(c);
    if (!rq->finished) {
        rq->head_bytes = rq->streaming ? rq->head_bytes : 0;
        rq->body_bytes = rq->streaming ? rq->body_bytes : 0;
    } else if (rq->end_position > sent) {
        uint64_t unsent = rq->end_position - sent, of_body = unsent < rq->body_bytes ? unsent : rq->body_bytes;
        rq->body_bytes -= of_body;
        unsent -= of_body;
        rq->head_bytes -= unsent < rq->head_bytes ? unsent : rq->head_bytes;
    }
    request_call_on_done(rq, BP_ABORTED, bp_clock());
    server_request_free(c->server, rq);
}

void output_abort(struct connection *c)
{
    while (c->unsent) {
        struct bp_request *rq = c->unsent;
        c->unsent = rq->next;
        output_abandon(c, rq);
    }
    c->unsent_end = &c->unsent;
}

int connection_await_output(struct connection *c)
{
    while (connection_queued(c) > c->server->options->write_buffer) {
        if (c->state == CONNECTION_DEAD)
            return BP_CANCELED;
        bp_event_init(&c->output);
        c->waits_output = c->request;
        int status = bp_event_wait(&c->output, BP_FOREVER);
        c->waits_output = NULL;
        if (status < 0)
            return status;
    }
    return c->state == CONNECTION_DEAD ? BP_CANCELED : 0;
}
