/* SPDX-License-Identifier: MIT */
/* A request from the inside: what the connection, the dispatcher and the reply functions share. */
#ifndef CORE_HTTP_REQUEST_H
#define CORE_HTTP_REQUEST_H

#include "backplane/network.h"
#include "backplane/reply.h"
#include "core/http/parser.h"
#include "core/plugin/assembly.h"
#include "core/route/router.h"
#include "core/schema/schema.h"

struct bp_fiber;
struct fiber_place;
struct connection;
struct inbuf;

/* One header field of the reply, or a block of whole lines (name.ptr NULL). A field is a line, too: ": " lies between name and value, and CR LF behind. */
struct reply_header {
    bp_str name, value;
    uint32_t stage; /* that set it; beyond the last one: the handler */
};

struct request_hook {
    struct request_hook *next;
    union {
        void (*head)(struct bp_request *rq, void *argument);
        void (*done)(struct bp_request *rq, const struct bp_done *done, void *argument);
    } call;
    void *argument;
};

enum body_state { BODY_UNREAD, BODY_DONE, BODY_FAILED };

/* Whom trusted proxies name. */
struct request_client {
    struct bp_address address;
    bool secure;
    uint8_t text_len;
    char text[46]; /* INET6_ADDRSTRLEN; made when first asked for */
};

#define REPLY_HEADERS_INLINE 12

struct bp_request {
    struct bp_request *next; /* in the pool, or among those whose bytes are not yet sent */
    struct connection *connection;
    struct bp_fiber *fiber;
    struct fiber_place *place; /* its */
    struct bp_arena *arena;
    struct inbuf *inbuf; /* the bytes that head's slices point into; a reference is held */
    bp_time started;

    /* What was asked. */
    bp_str path;                     /* normalised */
    const struct endpoint *endpoint; /* NULL: no route */
    const struct pipeline *pipeline; /* NULL: none */
    uint32_t stage, next_stage;      /* index running now, index to run next */
    uint32_t stage_count;            /* of the stages that run for this request; the handler comes behind them */
    uint32_t allowed;                /* methods of the path, for 405 and OPTIONS */
    unsigned reject_status;          /* not 0: refused before it could be routed */
    const char *reject_reason;
    struct {
        uint32_t count;
        bp_str names[ROUTER_PARAMS], values[ROUTER_PARAMS];
        void *decoded; /* by the route's .params */
    } params;
    void *query; /* decoded by the route's .query_fields */

    /* What stages found out. */
    bp_str id;
    struct bp_identity identity;
    bp_date identity_expires;
    bool has_identity;
    bool client_known;                    /* client is filled */
    bool records;                         /* its span does */
    struct hook_timer *timer;             /* of the call that runs; NULL: this request is not timed */
    const struct bp_trace_context *trace; /* NULL: no stage has made one */

    /* The body. */
    enum body_state body_state;
    bp_str body;
    uint64_t body_limit; /* set by a stage; 0: that of the route */

    /* The reply. */
    unsigned status;
    bp_str content_type, content;
    struct reply_header *headers;
    uint32_t header_count, header_cap;
    struct request_hook *on_head, *on_done, **on_done_end;
    bool streaming;
    bool chunked;
    bool cut;              /* a streaming reply failed: the connection is closed without its end */
    int failed_status;     /* already turned into a reply */
    unsigned error_status; /* that of the reply which error tells of, from 500; 0: none */
    struct {
        const char *plugin, *code;
        bp_str message;
    } error;
    bool finished;         /* the reply is complete in the connection's output */
    bool close_after;      /* the connection ends after this reply */
    uint64_t end_position; /* of the connection's output stream, behind the last byte */
    uint64_t head_bytes, body_bytes;

    /* When the reply stays open behind the handler. */
    struct bp_stream {
        void (*closed)(void *argument, enum bp_stream_end end); /* NULL: not detached, or called */
        void *argument;
    } stream;
    bool detached;
    bp_span handled; /* of one that is detached: until its fiber ended */

    /* Memory that is kept from one request to the next. */
    bool lean;                        /* as much as this one needs: not for the pool */
    struct reply_header *own_headers; /* REPLY_HEADERS_INLINE */
    char *slots;                      /* assembly.slot_bytes */

    /* From here on only what counts say is there is valid. */
    struct request_client client;
    struct parser_head head; /* last: of a lean request, its fields end with the last one */
};

/* Runs the pipeline: the fiber's function. Leaves a reply recorded unless the client is gone. */
void request_run(void *request);
/* Its fiber has ended, its reply has not. */
void request_detach(struct bp_request *rq);
/* Tells the owner of a stream that was detached, once. */
void request_close_stream(struct bp_request *rq, enum bp_stream_end end);
/* Finds route and pipeline for a complete head that came by the listener of that name. */
void request_route(struct bp_request *rq, const struct assembly *assembly, const char *listener);
/* Forgets what an earlier request left, keeping the pooled memory. */
void request_reset(struct bp_request *rq, size_t slot_bytes);
/* Records 400 with every problem (or the syntax error). */
/* "Not Found"; empty for a status that is not known. */
bp_str reply_reason(unsigned status);
/* Whether the body is said to be of this type, of JSON in UTF-8. */
bool request_body_is(struct bp_request *rq, bp_str media_type);
/* 0, or BP_REFUSED with a 415 when there is a body of another type than JSON, or BP_NOMEM. */
int request_demand_json(struct bp_request *rq);
int request_fail_problems(struct bp_request *rq, const struct bp_problems *problems, bool syntax);
/* At the end: counts a reply from 500 on, and a stream that had to be cut, among the errors. */
void request_note_error(struct bp_request *rq);
/* Whose stage or handler is that of this index; NULL: the core answers. */
struct bp_host *request_running(const struct bp_request *rq, uint32_t index);
/* Logs a misuse of the functions of reply.h: BP_MISUSE. */
int reply_misuse(const struct bp_request *rq, const char *what);
/* The server's buffer for what is encoded, empty. */
struct buffer *reply_scratch(struct bp_request *rq);
/* Turns a negative status into a recorded reply, once, where it appears first. */
void request_fail_status(struct bp_request *rq, int status, const char *plugin);

/* Calls on_head hooks, last registered first. */
void request_call_on_head(struct bp_request *rq);
void request_call_on_done(struct bp_request *rq, enum bp_outcome outcome, bp_time now);

/* Encodes the reply's head (and, when not streaming, its body) into out. */
struct buffer;
bool reply_encode(struct bp_request *rq, struct buffer *out, bool keep_alive);

#endif
