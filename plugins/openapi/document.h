/* SPDX-License-Identifier: MIT */
/* The OpenAPI document while it is being made. */
#ifndef OPENAPI_DOCUMENT_H
#define OPENAPI_DOCUMENT_H

#include <jansson.h>

#include "backplane/endpoints.h"
#include "backplane/plugin.h"

#define DOCUMENT_TABLES 512

/* What a table's rows stand for. */
enum use { USE_REPLY, USE_BODY, USE_PARAMETER };

/* A field table that has become a component. */
struct component {
    const struct bp_field *rows;
    enum use use;
    char *name;
};

struct document {
    const struct bp_host *host;
    json_t *root, *paths, *schemas, *headers, *examples, *security_schemes;
    struct component components[DOCUMENT_TABLES];
    size_t component_count;
    bool failed; /* out of memory, or more tables than there is room for */
};

struct document_about {
    bp_str title, version, description;
};

/* The whole document, of the routes that are served on this listener (NULL: those without a name), or NULL when out of memory. The
 * caller's: json_decref. */
json_t *document_make(const struct bp_host *host, const struct document_about *about, const char *listener);

/* Adds a member; NULL means that memory ran out, and fails the document. */
void document_set(struct document *document, json_t *object, const char *key, json_t *value);
void document_append(struct document *document, json_t *array, json_t *value);

#endif
