/* SPDX-License-Identifier: MIT */
/* openapi: the OpenAPI document of the server, and Swagger UI. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "document.h"
#include "openapi.h"
#include "swagger_ui_version.h"

static const struct bp_field options[] = {
    BP_TEXT(struct openapi, title, .def = "Backplane", .min = 1, .max = 200, .doc = "The name of the API."),
    BP_TEXT(struct openapi, version, .def = "1.0.0", .min = 1, .max = 50, .doc = "The version of the API."),
    BP_TEXT(struct openapi, description, .def = "", .max = 10000, .doc = "What the API is for; Markdown."),
    BP_BOOL(struct openapi, docs, .def = "true",
            .doc = "Whether `/docs` shows the document with Swagger UI; false: 404."),
    BP_BOOL(struct openapi, validate_replies, .def = "false",
            .doc = "As a stage: compares each reply with the document, and logs `openapi.undocumented_reply` when its "
                   "status, type "
                   "or body is another. For tests: it reads every body."),
    BP_END};

static const struct bp_field etag_field[] = {BP_HEADER_FIELD("ETag", BP_TYPE_TEXT, .doc = "Of this version."), BP_END};

static const struct bp_answer answers[] = {
    BP_ANSWER(.status = 304, .doc = "The client has this document already.", .headers = etag_field), BP_ANSWER_END};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = OPENAPI_PATH, .handler = openapi_serve, .name = "openapi.document",
             .doc = "This document.", .reply_form = BP_REPLY_BARE, .answers = answers),
    BP_ROUTE(.method = BP_GET, .path = "/docs", .handler = docs_page, .name = "openapi.docs",
             .doc = "The document for people.", .reply_form = BP_REPLY_UNDOCUMENTED),
    BP_ROUTE(.method = BP_GET, .path = "/docs/start.js", .handler = docs_script, .name = "openapi.script",
             .doc = "Starts Swagger UI.", .reply_form = BP_REPLY_UNDOCUMENTED),
    BP_ROUTE(.method = BP_GET, .path = "/docs/" SWAGGER_UI_VERSION "/swagger-ui-bundle.js", .handler = docs_bundle,
             .name = "openapi.bundle", .doc = "Swagger UI.", .reply_form = BP_REPLY_UNDOCUMENTED),
    BP_ROUTE(.method = BP_GET, .path = "/docs/" SWAGGER_UI_VERSION "/swagger-ui.css", .handler = docs_style,
             .name = "openapi.style", .doc = "Its style sheet.", .reply_form = BP_REPLY_UNDOCUMENTED),
    BP_ROUTE_END};

static int init(struct bp_host *host, void *self)
{
    struct openapi *openapi = self;
    openapi->host = host;
    return 0;
}

/* The listener that the document is served on: what is only on another is not in it. */
static const char *own_listener(const struct bp_host *host)
{
    struct bp_endpoint endpoint;
    for (size_t i = 0; bp_endpoint(host, i, &endpoint); i++)
        if (strcmp(endpoint.route->path, OPENAPI_PATH) == 0)
            return endpoint.listener;
    return NULL;
}

int openapi_make(struct openapi *openapi)
{
    const struct document_about about = {openapi->title, openapi->version, openapi->description};
    if (openapi->text)
        return 0;
    json_t *document = document_make(openapi->host, &about, own_listener(openapi->host));
    openapi->text = document ? json_dumps(document, JSON_COMPACT) : NULL;
    if (openapi->text) {
        size_t len = strlen(openapi->text);
        snprintf(openapi->etag, sizeof(openapi->etag), "\"%08lx-%zx\"",
                 crc32(crc32(0, NULL, 0), (const Bytef *)openapi->text, (uInt)len), len);
    }
    if (openapi->text && openapi->validate_replies)
        openapi->document = json_incref(document);
    json_decref(document);
    return openapi->text ? 0 : BP_NOMEM;
}

/* Most workers are never asked for the document, and would start later for it. */
static int start(struct bp_host *host, void *self)
{
    struct openapi *openapi = self;
    (void)host;
    return openapi->validate_replies ? openapi_make(openapi) : 0;
}

static void deinit(struct bp_host *host, void *self)
{
    struct openapi *openapi = self;
    (void)host;
    json_decref(openapi->document);
    free(openapi->text);
}

BP_PLUGIN(.name = "openapi", .version = "1.0.0", .doc = "The OpenAPI document of what is loaded, and Swagger UI.",
          .self_size = sizeof(struct openapi), .phase = BP_PHASE_OBSERVE, .options = options, .routes = routes,
          .init = init, .start = start, .deinit = deinit, .middleware = openapi_check);
