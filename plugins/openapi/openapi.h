/* SPDX-License-Identifier: MIT */
#ifndef OPENAPI_OPENAPI_H
#define OPENAPI_OPENAPI_H

#include <jansson.h>

#include "backplane/backplane.h"

struct openapi {
    struct bp_host *host;
    bp_str title, version, description;
    bool docs, validate_replies;
    json_t *document; /* kept for validate_replies only */
    char *text;       /* of the document; NULL: nobody has asked for it */
    char etag[32];
};

#define OPENAPI_PATH "/openapi.json"

/* Makes text and etag, unless they are there: some milliseconds, and on the loop. After all plugins' init: routes are complete then. BP_NOMEM or 0. */
int openapi_make(struct openapi *openapi);

/* The middleware: looks at each reply when validate_replies is on. */
bp_handler openapi_check;

/* Handlers. */
bp_handler openapi_serve, docs_page, docs_script, docs_bundle, docs_style;

#endif
