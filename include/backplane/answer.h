/* SPDX-License-Identifier: MIT */
/* What stages and routes may answer beside a route's own reply: for the OpenAPI document, which says of each route what really guards it. */
#ifndef BACKPLANE_ANSWER_H
#define BACKPLANE_ANSWER_H

#include "backplane/field.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A row of bp_plugin.answers (what its middleware adds to every route that it guards) or of bp_route.answers (what the handler
 * answers when it is not the route's reply). Begins with its size; static const; ends with BP_ANSWER_END.
 *
 *     static const struct bp_answer answers[] = {
 *         BP_ANSWER(.status = 401, .code = "auth.required", .message = "Authentication required", .security = "bearer"),
 *         BP_ANSWER_END};
 */
struct bp_answer {
    uint32_t size;
    uint32_t status;                /* of a reply that is made instead of the route's; 0: this is about every reply */
    uint32_t methods;               /* of a stage: only of routes with these, 1u << BP_POST | …; 0: all */
    uint32_t cached_only;           /* of a stage: 1: only of routes with a .cache_tag */
    const char *code;               /* as given to bp_fail(); NULL: no error in the usual form */
    const char *message;            /* the same, as an example */
    const char *doc;                /* when it happens, a sentence; NULL: the message */
    const struct bp_field *headers; /* header fields that the reply has; .json is a field's name */
    const struct bp_field *request; /* header fields of requests that are looked at */
    const struct bp_field *reply; /* of a status without code: the body's rows, in the form of the route's own reply */
    const char *security;         /* what gets past a 401: "bearer", or the name of the header field that holds a key */
};

#ifndef __cplusplus
/* A row, and the end of the rows. */
#define BP_ANSWER(...)                                \
    {                                                 \
        .size = sizeof(struct bp_answer), __VA_ARGS__ \
    }
#define BP_ANSWER_END \
    {                 \
        .size = 0     \
    }
/* A header field: BP_HEADER_FIELD("Retry-After", BP_TYPE_U32, .doc = "Seconds to wait.") */
#define BP_HEADER_FIELD(name_, type_, ...)                             \
    {                                                                  \
        .name = (name_), .json = (name_), .type = (type_), __VA_ARGS__ \
    }
#endif

#ifdef __cplusplus
}
#endif
#endif
