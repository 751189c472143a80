/* SPDX-License-Identifier: MIT */
/*
 * A request, as stages and handlers see it. Every function here is called on the request's own fiber, and does
 * not suspend unless it says so. Texts returned live as long as the request.
 */
#ifndef BACKPLANE_REQUEST_H
#define BACKPLANE_REQUEST_H

#include "backplane/arena.h"
#include "backplane/clock.h"
#include "backplane/field.h"
#include "backplane/uuid.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque. */
struct bp_request;

/* Of a request or a route. */
enum bp_method { BP_GET = 1, BP_HEAD, BP_POST, BP_PUT, BP_PATCH, BP_DELETE, BP_OPTIONS };

/* A stage of a pipeline, or a handler (stage is then NULL). self: the plugin instance's struct; stage: the options
 * of this use of it. Returns 0, or a negative status (status.h). */
typedef int bp_handler(struct bp_request *rq, void *self, const void *stage);

/* Runs the rest of the pipeline and the handler. When it returns, the reply is recorded (reply.h) and not yet sent;
 * a negative status has already become an error reply. Forward its status. Suspends. At most once per stage;
 * not calling it ends the pipeline here: record a reply of your own. */
int bp_next(struct bp_request *rq);

/* 0 for a request that is refused before it could be routed (malformed, or of an unknown method): its stages run, so that it is
 * observed; its target and fields may be empty. */
enum bp_method bp_request_method(const struct bp_request *rq);
/* "GET" */
bp_str bp_request_method_name(const struct bp_request *rq);
/* The request target exactly as sent: "/api/v1/todos?page=2". */
bp_str bp_request_target(const struct bp_request *rq);
/* The path, percent-decoded once and free of dot segments and doubled slashes. */
bp_str bp_request_path(const struct bp_request *rq);
/* What follows the "?", as sent; empty without one. */
bp_str bp_request_query(const struct bp_request *rq);
/* The next parameter of the query string, name and value decoded (one that is malformed is taken as it stands). *rest is
 * bp_request_query() at first. False after the last, or when out of memory. */
bool bp_query_next(struct bp_request *rq, bp_str *rest, bp_str *ret_name, bp_str *ret_value);
/* The template of the route that matched ("/api/v1/todos/{id}"); empty when none did. */
bp_str bp_request_route(const struct bp_request *rq);
/* The route's .cache_tag (route.h) with "{user}" and path parameters filled in: the same text as that of a statement's .tag. Empty when the
 * route has none, when nobody has been identified and it names the user, or when a parameter is not what the route's rows ask for. */
bp_str bp_request_cache_tag(struct bp_request *rq);
/* The value of a header field, name in lower case; several fields of one name are joined by ", " (RFC 9110 5.3).
 * ptr is NULL when absent. */
bp_str bp_request_header(struct bp_request *rq, bp_str name);
/* In a stage: what the stages and the handler behind it find as the value of a field that the client has sent; several become one. Copied. 0,
 * BP_NOMEM, or BP_MISUSE when it was not sent. */
int bp_request_header_set(struct bp_request *rq, bp_str name, bp_str value);
/* The Host field (or the authority of an absolute-form target). */
bp_str bp_request_host(const struct bp_request *rq);
/* The peer's address without port: "127.0.0.1", "::1", "unix". */
bp_str bp_request_peer(const struct bp_request *rq);
/* The peer's address in network order: 4 bytes, 16 bytes, or 0 for a Unix socket. */
bp_str bp_request_peer_bytes(const struct bp_request *rq);
/* The client's address: the peer's, or, when the peer is one of server.trusted_proxies, what the proxies say it is
 * (Forwarded, X-Forwarded-For from the right, PROXY v2). In these forms as above. */
bp_str bp_request_client(const struct bp_request *rq);
bp_str bp_request_client_bytes(const struct bp_request *rq);
/* True when the client's connection was encrypted: ours, or by the word of a trusted proxy. */
bool bp_request_secure(const struct bp_request *rq);
/* "1.1" or "1.0" */
bp_str bp_request_http_version(const struct bp_request *rq);

/* The request's memory, for what lives as long as it does. Never NULL. */
struct bp_arena *bp_arena(struct bp_request *rq);
/* The moment the head was complete, and the moment now: as first read in this turn of the loop. */
bp_time bp_started(const struct bp_request *rq);
bp_time bp_now(const struct bp_request *rq);
/* The wall clock, likewise. */
bp_date bp_request_date(const struct bp_request *rq);
/* Moves the request's deadline (default server.request_timeout from its head on). BP_FOREVER: none. */
void bp_set_deadline(struct bp_request *rq, bp_time deadline);

/* Identifier for logs and the X-Request-ID field; set by a stage (request_id), empty before. Copied. */
bp_str bp_request_id(const struct bp_request *rq);
int bp_set_request_id(struct bp_request *rq, bp_str id);

/* Who is asking; NULL before a stage (auth) has set it. Copied. */
struct bp_identity {
    bp_uuid user_id;
    bp_str role; /* "user", "admin" */
    bp_str
        scopes; /* what it is limited to: names with a space between them ("todos:read todos:write"); empty: nothing */
};
const struct bp_identity *bp_identity(const struct bp_request *rq);
int bp_set_identity(struct bp_request *rq, const struct bp_identity *identity);
/* Until when that is so, for replies that last: the end of a token. 0: for ever, as far as is known. */
bp_date bp_identity_expires(const struct bp_request *rq);
/* After bp_set_identity(). */
void bp_set_identity_expires(struct bp_request *rq, bp_date date);

/* A path parameter of the route: {id}. The core has decoded it by the route's .params rows before the handler
 * runs; a stage sees the text only. Empty when there is none of that name. */
bp_str bp_param(const struct bp_request *rq, const char *name);
/* For a BP_UUID row of .params. NULL when there is none of that name. */
const bp_uuid *bp_param_uuid(const struct bp_request *rq, const char *name);
/* The struct that the route's .query_fields rows describe, decoded and valid. NULL without such rows. */
const void *bp_query(const struct bp_request *rq);

/* In a stage, before the body is read: no larger body is accepted. 0: the route's limit again, or server.body_limit. */
void bp_set_body_limit(struct bp_request *rq, uint64_t bytes);
/* The whole body. Suspends until it has arrived; sends 100 Continue when that is awaited. BP_REFUSED when it is larger
 * than the route's limit (413), did not arrive in time (408), or is malformed (400). Empty without a body. */
int bp_body(struct bp_request *rq, bp_str *ret_body);
/* The body as JSON, decoded and validated by rows into *ret_object (zeroed first; texts live in the arena).
 * BP_REFUSED when a 400 (syntax with line and column, or every validation error), 413 or 415 was recorded. Suspends. */
int bp_body_object(struct bp_request *rq, const struct bp_field *rows, void *ret_object);
/* The same, with checks that rows alone cannot make: check adds problems (bp_problem_add()) to those of the rows, and all are answered
 * together. It sees the object also when rows found fault with it: a text that is missing or no text has ptr NULL. */
int bp_body_object_check(struct bp_request *rq, const struct bp_field *rows, void *ret_object,
                         void (*check)(const void *object, struct bp_problems *problems, void *argument),
                         void *argument);

#ifdef __cplusplus
}
#endif
#endif
