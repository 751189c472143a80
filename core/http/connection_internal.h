/* SPDX-License-Identifier: MIT */
/* Between connection.c, input.c and output.c. */
#ifndef CORE_HTTP_CONNECTION_INTERNAL_H
#define CORE_HTTP_CONNECTION_INTERNAL_H

#include "core/http/connection.h"

/* Answers what can be answered and reads what can be read. */
void connection_process(struct connection *connection);
/* Takes the PROXY header at the connection's begin. False when more bytes are needed, or the connection was closed. */
bool connection_take_header(struct connection *connection);
/* Sets peer_trusted. */
void connection_judge_peer(struct connection *connection);
/* Of an unread body: more than this is not read just so that the next request can be. */
enum { DISCARD_LIMIT = 64 * 1024 };
/* Reading more now makes the buffer no larger: what else comes while a request runs stays in the kernel, whose window holds the client up. */
bool input_has_room(const struct connection *connection);
/* Takes the rest of an unread body away. True when it is gone. */
bool input_discard_body(struct connection *connection);
/* out is empty again. May free the connection. */
void connection_sent(struct connection *connection);

void output_init(struct connection *connection);
/* Encodes what is left of the reply behind out. False when out of memory. */
bool output_finish(struct connection *connection, struct bp_request *rq);
/* Takes rq over until its last byte was sent. output_flush() must follow. */
void output_queue(struct connection *connection, struct bp_request *rq);
/* Sends what is queued: now, where nothing more is to be read of this connection, else at the end of the turn. While c->processing. */
void output_flush(struct connection *connection);
/* Ends a request whose reply will not, or not wholly, be sent. */
void output_abandon(struct connection *connection, struct bp_request *rq);
/* Nothing more can be sent: done hooks are called, buffers freed. */
void output_abort(struct connection *connection);
void output_release(struct connection *connection);
void output_on_writable(evutil_socket_t fd, short what, void *connection);

#endif
