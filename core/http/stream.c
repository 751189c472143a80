/* SPDX-License-Identifier: MIT */
/* Replies whose length is not known when they begin: on the handler's fiber, and detached from it (backplane/reply.h). */
#include <stdio.h>

#include "backplane/status.h"
#include "core/http/connection.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"

int bp_stream_begin(struct bp_request *rq, unsigned status, bp_str content_type)
{
    struct connection *c = rq->connection;
    int recorded = bp_reply_body(rq, status, content_type, BP_STR(""));
    if (recorded < 0)
        return recorded;
    if (c->state == CONNECTION_DEAD)
        return BP_CANCELED;
    request_call_on_head(rq);
    rq->chunked = rq->head.minor == 1;
    if (!rq->chunked)
        rq->close_after = true;
    struct buffer *out = reply_scratch(rq);
    rq->streaming = true;
    if (!reply_encode(rq, out, !rq->close_after) || !connection_write(c, buffer_str(out)))
        return BP_NOMEM;
    bp_set_deadline(rq, BP_FOREVER);
    return 0;
}

int bp_stream_write(struct bp_request *rq, bp_str data)
{
    struct connection *c = rq->connection;
    if (!rq->streaming)
        return reply_misuse(rq, "bp_stream_write before bp_stream_begin");
    if (c->state == CONNECTION_DEAD)
        return BP_CANCELED;
    if (data.len == 0 || rq->head.method == BP_HEAD)
        return 0;
    struct buffer *out = reply_scratch(rq);
    if (rq->chunked)
        buffer_printf(out, "%zx\r\n", data.len);
    buffer_add(out, data);
    if (rq->chunked)
        buffer_add(out, BP_STR("\r\n"));
    if (out->failed || !connection_write(c, buffer_str(out)))
        return BP_NOMEM;
    rq->body_bytes += data.len;
    return connection_await_output(c);
}

int bp_stream_detach(struct bp_request *rq, void (*closed)(void *argument, enum bp_stream_end end), void *argument,
                     struct bp_stream **ret_stream)
{
    if (!rq->streaming || rq->stream.closed)
        return reply_misuse(rq, "A stream was detached before it had begun, or twice");
    if (rq->connection->state == CONNECTION_DEAD)
        return BP_CANCELED;
    if (rq->head.method == BP_HEAD)
        return BP_STREAM_NO_CONTENT;
    rq->stream = (struct bp_stream){.closed = closed, .argument = argument};
    *ret_stream = &rq->stream;
    return 0;
}

bool bp_stream_detached(const struct bp_request *rq)
{
    return rq->stream.closed != NULL;
}

static struct bp_request *request_of(struct bp_stream *stream)
{
    return (struct bp_request *)(void *)((char *)stream - offsetof(struct bp_request, stream));
}

int bp_stream_send(struct bp_stream *stream, bp_str data)
{
    struct bp_request *rq = request_of(stream);
    struct connection *c = rq->connection;
    size_t queued = connection_queued(c);
    char size[20];
    bp_str pieces[3] = {{.ptr = size}, data, BP_STR("\r\n")};
    if (c->state == CONNECTION_DEAD || rq->cut)
        return BP_CANCELED;
    if (data.len == 0)
        return 0;
    if (queued > 0 && queued + data.len > c->server->options->write_buffer)
        return BP_BUSY;
    if (rq->chunked)
        pieces[0].len = (size_t)snprintf(size, sizeof(size), "%zx\r\n", data.len);
    if (!connection_write_now(c, rq->chunked ? pieces : pieces + 1, rq->chunked ? 3 : 1))
        return BP_NOMEM;
    rq->body_bytes += data.len;
    return 0;
}

void request_close_stream(struct bp_request *rq, enum bp_stream_end end)
{
    void (*closed)(void *argument, enum bp_stream_end end) = rq->stream.closed;
    rq->stream.closed = NULL;
    if (closed)
        closed(rq->stream.argument, end);
}

void bp_stream_end(struct bp_stream *stream)
{
    struct bp_request *rq = request_of(stream);
    if (!stream->closed)
        return;
    request_close_stream(rq, BP_STREAM_ENDED);
    if (rq->detached)
        connection_finish_stream(rq->connection);
}
