/* SPDX-License-Identifier: MIT */
/* What the handlers of backplane/resource.h take and answer. */
#ifndef OPENAPI_RESOURCES_H
#define OPENAPI_RESOURCES_H

#include "replies.h"

/* Adds what the handler answers. False when it is none of them. */
bool resource_replies(struct replies *replies, const struct bp_endpoint *endpoint);
/* The schema of a query parameter that the rows alone do not say all about; false: this is none. */
bool resource_parameter(struct document *document, json_t *parameter, const struct bp_endpoint *endpoint,
                        const struct bp_field *row);
/* Header fields of requests, and `fields` of one row. */
void resource_parameters(struct document *document, json_t *parameters, const struct bp_endpoint *endpoint);
/* The "content" of its request body; NULL when it is none of them, or takes none. */
json_t *resource_bodies(struct document *document, const struct bp_endpoint *endpoint);

#endif
