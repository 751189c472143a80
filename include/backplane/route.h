/* SPDX-License-Identifier: MIT */
/* Routes: a plugin's table of what it answers. */
#ifndef BACKPLANE_ROUTE_H
#define BACKPLANE_ROUTE_H

#include "backplane/answer.h"
#include "backplane/request.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bp_resource;

/* How a reply holds what .reply describes. */
enum bp_reply_form {
    BP_REPLY_ENVELOPE,    /* bp_reply_object(): "data" of the envelope; without .reply the bp_reply_message() */
    BP_REPLY_BARE,        /* bp_reply_json(): the whole body; without .reply any JSON */
    BP_REPLY_UNDOCUMENTED /* for browsers or operators: the document leaves the route out */
};

/* A row of bp_plugin.routes. Begins with its size; the core copies it into a full-size zeroed struct. The table ends with BP_ROUTE_END. */
struct bp_route {
    uint32_t size;
    uint32_t method;  /* enum bp_method; HEAD follows from GET, OPTIONS is the core's */
    const char *path; /* "/api/v1/todos/{id}": literal segments and {parameters}; no wildcard inside */
    bp_handler *handler;
    const char *name;                 /* "todos.get": for the log and OpenAPI's operationId */
    const char *doc;                  /* one sentence */
    const struct bp_field *params;    /* path parameters; a bad one is 400 with its .invalid message. NULL: texts */
    const struct bp_field *query;     /* query parameters; NULL: not looked at */
    const struct bp_field *body;      /* for documents; decode with bp_body_object() */
    const struct bp_field *reply;     /* for documents: what "data" holds */
    uint32_t params_size, query_size; /* sizeof the structs those rows fill */
    uint64_t body_limit;              /* bytes; 0: server.body_limit */
    /* Of a GET: the cache tag (iface/cache_tags.h) that its reply depends on, so that a `cache` stage may keep it until a
     * statement with that tag writes. "{user}" is the identity's user id, "{id}" a path parameter: "todos:user:{user}". NULL:
     * the reply is not cached. */
    const char *cache_tag;
    /* For the handlers of resource.h: what they serve; name, doc, params, body, reply and cache_tag follow from it where unset. */
    const struct bp_resource *resource;
    /* For documents. What the handler answers beside its reply: ends with BP_ANSWER_END. */
    const struct bp_answer *answers;
    /* Media type of a reply that is no JSON of these forms: "text/plain", or several, "text/plain, text/html"; .reply is then NULL. */
    const char *reply_type;
    uint32_t reply_form;   /* enum bp_reply_form */
    uint32_t reply_status; /* 0: 200, of bp_resource_create 201. 204: there is no body */
    /* Who may use it; NULL: whom the pipeline lets through. "user": every account, "admin": accounts of that role. The core
     * answers others with 403, before a stage of the phase "reuse" or the handler runs, and `check` warns of a route whose
     * pipeline identifies nobody. */
    const char *role;
    /* "todos:write": an identity that is limited to scopes must have this one. NULL: an identity that is limited cannot use the route.
     * That of a resource's routes is its plural and "read" or "write", where unset. */
    const char *scope;
    uint32_t
        streams; /* 1: its replies stay open for long (bp_stream_detach()): such a request lives in as little memory as it needs */
    uint32_t spare32;
};

/* The route that matched, as its plugin declared it, with what follows from .resource filled in; NULL when none did. On the request's
 * fiber. Lives as long as the instance. */
const struct bp_route *bp_request_endpoint(const struct bp_request *rq);

#ifndef __cplusplus
/* A row, and the end of the rows. */
#define BP_ROUTE(...)                                \
    {                                                \
        .size = sizeof(struct bp_route), __VA_ARGS__ \
    }
#define BP_ROUTE_END \
    {                \
        .size = 0    \
    }
#endif

#ifdef __cplusplus
}
#endif
#endif
