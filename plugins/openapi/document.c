/* SPDX-License-Identifier: MIT */
#include "document.h"

#include <stdlib.h>
#include <string.h>

#include "operations.h"
#include "replies.h"
#include "schemas.h"

#define ENDPOINTS_MAX 4096

void document_set(struct document *document, json_t *object, const char *key, json_t *value)
{
    if (!value || json_object_set_new(object, key, value) != 0)
        document->failed = true;
}

void document_append(struct document *document, json_t *array, json_t *value)
{
    if (!value || json_array_append_new(array, value) != 0)
        document->failed = true;
}

/* A route and its place in the order of all. */
struct listed {
    struct bp_endpoint endpoint;
    size_t index;
};

/* By path, then method: so that the document does not depend on the order in which plugins start. */
static int compare(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    int order = strcmp(x->endpoint.route->path, y->endpoint.route->path);
    if (order != 0)
        return order;
    return x->endpoint.route->method < y->endpoint.route->method ? -1 : 1;
}

static bool same_listener(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static size_t list(const struct bp_host *host, const char *listener, struct listed *all)
{
    size_t count = 0;
    struct bp_endpoint endpoint;
    for (size_t i = 0; i < ENDPOINTS_MAX && bp_endpoint(host, i, &endpoint); i++)
        if (same_listener(endpoint.listener, listener) && endpoint.route->reply_form != BP_REPLY_UNDOCUMENTED)
            all[count++] = (struct listed){endpoint, i};
    qsort(all, count, sizeof(*all), compare);
    return count;
}

static void add_tag(struct document *document, json_t *tags, const struct bp_endpoint *endpoint)
{
    for (size_t i = 0; i < json_array_size(tags); i++)
        if (bp_str_is(endpoint->instance, json_string_value(json_object_get(json_array_get(tags, i), "name"))))
            return;
    json_t *tag = json_pack("{s:s%}", "name", endpoint->instance.ptr, endpoint->instance.len);
    if (endpoint->plugin_doc)
        document_set(document, tag, "description", json_string(endpoint->plugin_doc));
    document_append(document, tags, tag);
}

static void add_paths(struct document *document, const struct listed *all, size_t count)
{
    json_t *tags = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct bp_endpoint *endpoint = &all[i].endpoint;
        const char *path = endpoint->route->path;
        if (!json_object_get(document->paths, path))
            document_set(document, document->paths, path, json_object());
        document_set(document, json_object_get(document->paths, path), operation_method(endpoint->route->method),
                     operation_make(document, all[i].index, endpoint));
        add_tag(document, tags, endpoint);
    }
    document_set(document, document->root, "tags", tags);
}

json_t *document_make(const struct bp_host *host, const struct document_about *about, const char *listener)
{
    struct document *document = calloc(1, sizeof(*document));
    struct listed *all = calloc(ENDPOINTS_MAX, sizeof(*all));
    json_t *root = NULL;
    if (document && all) {
        document->host = host;
        document->root =
            json_pack("{s:s,s:{s:s%,s:s%,s:s%},s:[{s:s}]}", "openapi", "3.1.0", "info", "title", about->title.ptr,
                      about->title.len, "version", about->version.ptr, about->version.len, "description",
                      about->description.ptr, about->description.len, "servers", "url", "/");
        document->paths = json_object();
        document->schemas = json_object();
        document->headers = json_object();
        document->examples = json_object();
        document->security_schemes = json_object();
        schema_add_common(document);
        add_paths(document, all, list(host, listener, all));
        document_set(document, document->root, "paths", document->paths);
        document_set(document, document->root, "components",
                     json_pack("{s:o,s:o,s:o,s:o,s:o}", "responses", replies_malformed(document), "schemas",
                               document->schemas, "headers", document->headers, "examples", document->examples,
                               "securitySchemes", document->security_schemes));
        root = document->root;
        if (document->failed) {
            json_decref(root);
            root = NULL;
        }
    }
    for (size_t i = 0; document && i < document->component_count; i++)
        free(document->components[i].name);
    free(all);
    free(document);
    return root;
}
