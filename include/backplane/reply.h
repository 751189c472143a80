/* SPDX-License-Identifier: MIT */
/*
 * The reply. bp_reply_*() and bp_fail() record it, replacing any earlier one (its header fields stay); stages may edit it
 * until the outermost one has returned; then the core encodes and queues it. On the request's fiber only; no function
 * suspends but bp_stream_*(). Each returns 0, or BP_NOMEM, or BP_MISUSE after a streaming reply has begun.
 */
#ifndef BACKPLANE_REPLY_H
#define BACKPLANE_REPLY_H

#include "backplane/request.h"

#ifdef __cplusplus
extern "C" {
#endif

/* {"success":true,"message":message,"data":{…}}: object described by rows. Encoded at once; object may die. */
int bp_reply_object(struct bp_request *rq, unsigned status, const char *message, const struct bp_field *rows,
                    const void *object);
/* {"success":true,"message":message} */
int bp_reply_message(struct bp_request *rq, unsigned status, const char *message);
/* The object described by rows, bare. */
int bp_reply_json(struct bp_request *rq, unsigned status, const struct bp_field *rows, const void *object);
/* Any body. content_type is a literal or lives in the arena; the body is borrowed until the reply was sent, so it lives
 * in the arena too, or longer. Status 204 and 304 have no body. */
int bp_reply_body(struct bp_request *rq, unsigned status, bp_str content_type, bp_str body);

/*
 * An error: {"success":false,"status":"fail"|"error","message":…,"requestId":…}, or RFC 9457 when the client prefers
 * application/problem+json. code: a dotted constant ("todo.not_found"), part of the problem's type; message: shown to
 * the user; copied. Returns 0: `return bp_fail(rq, 404, "todo.not_found", "Todo not found");`
 */
int bp_fail(struct bp_request *rq, unsigned status, const char *code, const char *message);

/* What is recorded now. 0 before anything is. */
unsigned bp_reply_status(const struct bp_request *rq);
bp_str bp_reply_content(const struct bp_request *rq);
bp_str bp_reply_content_type(const struct bp_request *rq);
/* True from bp_stream_begin() on: the head has left, and the content is not kept. */
bool bp_reply_streams(const struct bp_request *rq);

/* Header fields of the reply; they survive a later bp_reply_*() or bp_fail(). Name and value are copied; one that holds
 * CR, LF or NUL, or a name that is no token, is BP_MISUSE. Content-Length, Transfer-Encoding, Connection and Date are
 * the core's. set: replaces all of that name. add: one more line. */
int bp_header_set(struct bp_request *rq, bp_str name, bp_str value);
int bp_header_add(struct bp_request *rq, bp_str name, bp_str value);
/* Whole lines ("A: b\r\nC: d\r\n") that are the same for every reply of a stage, appended as they are: the cheap way.
 * Borrowed until the reply was sent: they live in the arena, in a literal, or with the instance. */
int bp_header_block(struct bp_request *rq, bp_str lines);
/* Takes all fields of that name back, those in blocks, too. */
int bp_header_remove(struct bp_request *rq, bp_str name);
/* The value set, ptr NULL when none. Does not look into blocks. */
bp_str bp_reply_header(const struct bp_request *rq, bp_str name);
/* In a stage, after bp_next(): the next of the header fields that were set behind it, by the stages after it and by the handler. *at
 * is 0 at first. A block comes as a value whose name.ptr is NULL. False after the last. */
bool bp_reply_header_next(const struct bp_request *rq, size_t *at, bp_str *ret_name, bp_str *ret_value);

/*
 * Streaming: freezes the head and sends it. A stage that must still set header fields then registers bp_on_head before
 * bp_next. write suspends while the client is slow; BP_CANCELED when it is gone. Chunked in HTTP/1.1, until close in 1.0.
 * The end is the handler's return. The request's deadline does not apply to streams.
 */
int bp_stream_begin(struct bp_request *rq, unsigned status, bp_str content_type);
int bp_stream_write(struct bp_request *rq, bp_str data);

/*
 * A stream that outlives its handler, for many that are silent most of the time: without a fiber, in little memory where the route says
 * .streams. After bp_stream_begin() the handler detaches it and returns 0; when the stages before it have returned, too, the fiber ends and the reply
 * stays open. Requests behind it on the connection wait. Their client's end of the connection is its departure. bp_on_done functions are called at the real end.
 */
struct bp_stream;

enum bp_stream_end {
    BP_STREAM_ENDED, /* bp_stream_end() */
    BP_STREAM_LEFT, /* the client left, took nothing for server.write_timeout, or the connection was cut: nothing can be sent any more */
    BP_STREAM_DRAINED /* the worker stops: what closed() still sends goes out, then the stream ends */
};

#define BP_STREAM_NO_CONTENT 1 /* to HEAD */

/*
 * On the request's fiber, after bp_stream_begin(), once. closed(argument, end) is called exactly once, at the latest before stop of any plugin, on the loop (so
 * it must not suspend), perhaps from within bp_stream_end() and perhaps before the handler has returned, should it wait or fail after this
 * call; *ret_stream is no stream any more when it returns. Does not suspend. 0; BP_STREAM_NO_CONTENT: nothing was detached, the handler returns 0;
 * BP_CANCELED (the client is gone), BP_MISUSE: nothing was detached.
 */
int bp_stream_detach(struct bp_request *rq, void (*closed)(void *argument, enum bp_stream_end end), void *argument,
                     struct bp_stream **ret_stream);
/* True from there on until closed() was called: in a stage, after bp_next() has returned 0, that the reply stays open behind it. */
bool bp_stream_detached(const struct bp_request *rq);
/*
 * On the loop or any fiber; does not suspend, nor call closed(). Gives data to the kernel at once where it takes it, and keeps a copy of what it does not
 * take. 0; BP_BUSY: more than server.write_buffer would wait for this client, none of data was taken (end the stream, or leave this piece out);
 * BP_CANCELED: the client is gone; BP_NOMEM.
 */
int bp_stream_send(struct bp_stream *stream, bp_str data);
/* Ends the reply, so that it is whole. closed() has been called when this returns. As bp_stream_send(). Does nothing within closed(). */
void bp_stream_end(struct bp_stream *stream);

/* Calls function(rq, argument) just before the head is encoded, streaming or not; last registered first. It may set
 * header fields, and must not suspend. */
int bp_on_head(struct bp_request *rq, void (*function)(struct bp_request *rq, void *argument), void *argument);

enum bp_outcome {
    BP_SENT,   /* the last byte was given to the kernel */
    BP_ABORTED /* the client left, or the connection failed, before that */
};

struct bp_done {
    unsigned status; /* 0 when no reply was made */
    enum bp_outcome outcome;
    uint64_t head_bytes, body_bytes; /* given to the kernel */
    bp_span duration;                /* from the complete head to now */
    bp_date date;                    /* now: the wall clock as first read in this turn of the loop */
    bp_span
        handled; /* the same as duration, but of a detached stream only until its fiber ended: what was slow, not what was long */
};

/* Calls function(rq, done, argument) after the last byte or the abort, without a fiber; in the order registered. The
 * request can be read; nothing can be changed. */
int bp_on_done(struct bp_request *rq,
               void (*function)(struct bp_request *rq, const struct bp_done *done, void *argument), void *argument);

#ifdef __cplusplus
}
#endif
#endif
