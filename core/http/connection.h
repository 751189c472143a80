/* SPDX-License-Identifier: MIT */
/*
 * One client connection: bytes in, requests one at a time, replies out in order. Edge-triggered reading; what was read stays
 * in a reference-counted buffer as long as a request's slices point into it.
 */
#ifndef CORE_HTTP_CONNECTION_H
#define CORE_HTTP_CONNECTION_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

#include "backplane/network.h"
#include "backplane/wait.h"
#include "core/base/buffer.h"
#include "core/http/parser.h"
#include "core/worker/loop.h"

struct bp_request;
struct server;

struct inbuf {
    struct inbuf *next; /* in the pool */
    uint32_t refs;
    uint32_t cap;
    char data[];
};

enum connection_state {
    CONNECTION_OPEN,
    CONNECTION_LAST,   /* nothing more is read as a request: the last reply is on its way */
    CONNECTION_LINGER, /* all was sent and our side shut down: reading away what the client still sends */
    CONNECTION_DEAD    /* descriptor closed; waits for its fiber to end */
};

struct connection {
    struct connection *prev, *next; /* among the server's */
    struct server *server;
    int fd;
    const char *listener; /* its name, NULL: none */
    enum connection_state state;
    struct event read_event, write_event;

    struct inbuf *in;
    uint32_t start, end; /* unparsed bytes of in */
    struct parser_state parser;
    bool readable;    /* the kernel may have more: read until EAGAIN before waiting for an edge */
    bool closed_edge; /* the kernel said that a FIN lies behind the bytes not yet read */
    bool fin;         /* the client will send no more */
    bool head_timed;  /* the deadline is that of a head */
    bool processing;  /* connection_process is on the stack */
    bool served;      /* at least one request was answered */

    struct bp_request *request;              /* running now */
    struct bp_request *unsent, **unsent_end; /* finished, bytes not all sent */

    struct buffer out;
    size_t out_sent;   /* of out */
    uint64_t position; /* stream position behind out's last byte */
    bool write_blocked;
    struct loop_task flush_task;

    struct loop_deadline deadline;       /* head, idle, body, linger or fin_grace */
    struct loop_deadline write_deadline; /* no progress in writing */
    bp_event input;                      /* more bytes, or fin */
    bp_event output;                     /* out has drained below its mark */
    struct bp_request *waits_input, *waits_output;
    bool body_late; /* the body's deadline passed */

    /* The rest of an unread body that must go before the next request. */
    uint64_t discard;
    struct parser_chunked chunked;
    bool discard_chunked;
    uint64_t discarded;

    struct bp_address peer;
    uint8_t peer_text_len;
    char peer_text[46]; /* INET6_ADDRSTRLEN; made when first asked for */
    bool secure;
    bool peer_trusted;  /* a proxy of server.trusted_proxies: what it says about the client is believed */
    bool awaits_header; /* of the PROXY protocol: nothing is a request before it */
};

/* proxied: the connection begins with a header of the PROXY protocol. */
int connection_new(struct server *server, int fd, const struct sockaddr *peer, bool proxied,
                   struct connection **ret_connection);
/* Closes the socket at once; frees the connection when no fiber runs on it. */
void connection_kill(struct connection *connection);
/* No new requests: closes when idle, else after the current reply. */
void connection_drain(struct connection *connection);

/* Reads once more into `in`, making room; 1: got bytes, 0: nothing now, -1: end of stream or error (fin is set). */
int connection_fill(struct connection *connection);
/* On the request's fiber: suspends until there are unparsed bytes or the stream has ended. 0, BP_CANCELED, BP_TIMEOUT (the
 * fiber's own), or 1 when the body made no progress for body_timeout. */
int connection_await_input(struct connection *connection);
/* On the request's fiber: suspends until the output is below its mark. */
int connection_await_output(struct connection *connection);
/* Queues bytes outside of a recorded reply (100 Continue, a stream's) and sends them at the end of this turn. False when out of
 * memory. */
bool connection_write(struct connection *connection, bp_str bytes);
/* The same for what is in pieces, but gives it to the kernel at once when nothing is queued before it. False: out of memory, some of it may be gone. */
bool connection_write_now(struct connection *connection, const bp_str *pieces, size_t count);
/* Ends a detached reply, whose owner knows it. */
void connection_finish_stream(struct connection *connection);
/* Sends what is queued at the end of this turn. */
void connection_flush_soon(struct connection *connection);
/* Bytes queued and not sent. */
static inline size_t connection_queued(const struct connection *connection)
{
    return connection->out.len - connection->out_sent;
}

#endif
