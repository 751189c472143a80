/* SPDX-License-Identifier: MIT */
/* The server from the inside: what connections share. */
#ifndef CORE_HTTP_SERVER_INTERNAL_H
#define CORE_HTTP_SERVER_INTERNAL_H

#include "core/base/buffer.h"
#include "core/http/connection.h"
#include "core/http/parser.h"
#include "core/http/server.h"

struct listener {
    struct listener *next;
    struct server *server;
    int fd;
    const char *name;
    struct event event;
    bool paused;
    bool proxy_protocol;
};

struct server {
    struct loop *loop;
    struct assembly *assembly;
    const struct config_server *options;
    struct parser_limits limits;
    struct listener *listeners;
    struct event *resume_event; /* accepting again after EMFILE */
    struct connection *connections;
    struct server_stats stats;
    bool draining;
    void (*drained)(void *argument);
    void *drained_argument;

    /* Connections that were closed for their PROXY header since one was last logged. */
    uint64_t refused_headers;
    bp_time refused_logged;

    struct buffer scratch; /* a reply's text while it is encoded */
    struct inbuf *inbufs;  /* pool */
    unsigned inbuf_count;
    struct bp_request *requests; /* pool */
    unsigned request_count;
    struct connection *free_connections;
    unsigned free_connection_count;
    struct buffer outs[64]; /* pool of output buffers: one a connection that is answered in the same turn */
    unsigned out_count;
};

struct inbuf *server_inbuf_new(struct server *server, size_t cap);
/* Of exactly this size. */
struct inbuf *server_inbuf_exact(size_t cap);
void server_inbuf_unref(struct server *server, struct inbuf *inbuf);
struct bp_request *server_request_new(struct server *server);
void server_request_free(struct server *server, struct bp_request *rq);
/* A request like rq, just parsed, without a body, in little memory: for one that lasts. It is to be routed again. NULL when there is none; else rq is gone. */
struct bp_request *server_request_lean(struct server *server, struct bp_request *rq, bp_str head);
/* The pool. */
void server_requests_free(struct server *server);
/* The connection has left the list. */
void server_connection_gone(struct server *server, struct connection *connection);

#endif
