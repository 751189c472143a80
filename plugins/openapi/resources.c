/* SPDX-License-Identifier: MIT */
#include "resources.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "backplane/resource.h"
#include "schemas.h"

static const struct bp_field etag_field[] = {BP_HEADER_FIELD("ETag", BP_TYPE_TEXT,
                                                             .doc = "Of this version; for If-Match and If-None-Match.",
                                                             .example = "\"3\""),
                                             BP_END};
static const struct bp_field location_field[] = {
    BP_HEADER_FIELD("Location", BP_TYPE_TEXT, .doc = "Its path.",
                    .example = "/api/v1/todos/0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"),
    BP_END};
static const struct bp_field link_field[] = {
    BP_HEADER_FIELD("Link", BP_TYPE_TEXT, .doc = "The next, previous, first and last page (RFC 8288)."), BP_END};
static const struct bp_field accept_patch_field[] = {
    BP_HEADER_FIELD("Accept-Patch", BP_TYPE_TEXT, .doc = "The media types of patches."), BP_END};

/* The handler that the route's is or, on the path of one row, stands for: one that does more around it. */
static bp_handler *handler_of(const struct bp_route *route)
{
    static const struct {
        uint32_t method;
        bp_handler *handler;
    } of_one[] = {{BP_GET, bp_resource_get},
                  {BP_PATCH, bp_resource_update},
                  {BP_PUT, bp_resource_replace},
                  {BP_DELETE, bp_resource_delete}};
    static const char tail[] = "/{id}";
    size_t len = strlen(route->path);
    bool one = len >= sizeof(tail) && strcmp(route->path + len - (sizeof(tail) - 1), tail) == 0;
    for (size_t i = 0; one && i < sizeof(of_one) / sizeof(*of_one); i++)
        if (of_one[i].method == route->method)
            return of_one[i].handler;
    return route->handler;
}

static bool is(const struct bp_endpoint *endpoint, bp_handler *handler)
{
    return endpoint->route->resource && handler_of(endpoint->route) == handler;
}

/* Writes one row that exists. */
static bool is_change(const struct bp_endpoint *endpoint)
{
    return is(endpoint, bp_resource_update) || is(endpoint, bp_resource_replace) || is(endpoint, bp_resource_delete);
}

static bool is_move(const struct bp_endpoint *endpoint)
{
    return is(endpoint, bp_resource_move);
}

/* "Todo": of the names of components; NULL when the route has no resource. */
static const char *resource_noun(const struct bp_endpoint *endpoint, char *name, size_t size)
{
    const struct bp_resource *resource = endpoint->route->resource;
    if (!resource)
        return NULL;
    snprintf(name, size, "%c%s", toupper((unsigned char)resource->name[0]), resource->name + 1);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return name;
}

/* The whole row, with every member: what a write answers. */
static json_t *whole(struct document *document, const struct bp_endpoint *endpoint)
{
    char noun[100];
    const struct bp_field *rows = endpoint->route->resource->fields;
    json_t *schema = schema_table(document, rows, USE_REPLY, resource_noun(endpoint, noun, sizeof(noun)));
    document_set(document, schema, "required", schema_names(document, rows));
    return schema;
}

static void add_error(struct replies *replies, const struct bp_endpoint *endpoint, unsigned status, const char *what,
                      const char *rest, const char *doc)
{
    char noun[100], code[160], message[200];
    snprintf(code, sizeof(code), "%s.%s", endpoint->route->resource->name, what);
    snprintf(message, sizeof(message), "%s %s", resource_noun(endpoint, noun, sizeof(noun)), rest);
    replies_add_error(replies, status, code, message, doc);
}

static json_t *bulk_reply(struct document *document, const struct bp_endpoint *endpoint, bool success)
{
    json_t *result = json_pack("{s:s,s:[s,s],s:{s:{s:s,s:s},s:{s:[o,o,o,o]}}}", "type", "object", "required", "status",
                               "body", "properties", "status", "type", "integer", "description",
                               "What the operation alone would have been answered with.", "body", "anyOf",
                               replies_envelope(document, whole(document, endpoint)), replies_envelope(document, NULL),
                               schema_ref("Error"), schema_ref("Problem"));
    json_t *reply =
        json_pack("{s:s,s:[s,s,s],s:{s:{s:s,s:b},s:{s:s},s:{s:s,s:[s,s,s],s:{s:{s:s},s:{s:s},s:{s:s,s:o}}}}}", "type",
                  "object", "required", "success", "message", "data", "properties", "success", "type", "boolean",
                  "const", success, "message", "type", "string", "data", "type", "object", "required", "succeeded",
                  "failed", "results", "properties", "succeeded", "type", "integer", "failed", "type", "integer",
                  "results", "type", "array", "items", result);
    if (!success) /* an error, with the members that errors have */
        json_object_update_new(json_object_get(reply, "properties"),
                               json_pack("{s:{s:s},s:{s:s},s:{s:s}}", "status", "const", "fail", "code", "const",
                                         "bulk.undone", "requestId", "type", "string"));
    return reply;
}

static void add_success(struct replies *replies, const struct bp_endpoint *endpoint)
{
    struct document *document = replies->document;
    char name[120];
    resource_noun(endpoint, name, sizeof(name) - 8);
    if (is(endpoint, bp_resource_bulk)) {
        replies_add(replies, 200, "What became of each operation.", "application/json",
                    bulk_reply(document, endpoint, true));
        replies_add(replies, 422, "atomic: an operation failed, and nothing was changed.", "application/json",
                    bulk_reply(document, endpoint, false));
    } else if (is(endpoint, bp_resource_delete)) {
        replies_add(replies, 200, "It is gone.", "application/json", replies_envelope(document, NULL));
    } else if (is(endpoint, bp_resource_list)) {
        json_decref(schema_table(document, endpoint->route->resource->fields, USE_REPLY, name));
        snprintf(name + strlen(name), 8, "Page");
        replies_add(replies, 200, "A page.", "application/json",
                    replies_envelope(document, schema_table(document, endpoint->route->reply, USE_REPLY, name)));
        replies_add_headers(replies, 200, link_field);
    } else if (is(endpoint, bp_resource_get)) {
        replies_add(
            replies, 200, "It, or of it what fields names.", "application/json",
            replies_envelope(document, schema_table(document, endpoint->route->resource->fields, USE_REPLY, name)));
    } else {
        replies_add(replies, is(endpoint, bp_resource_create) ? 201 : 200, "As it is now.", "application/json",
                    replies_envelope(document, whole(document, endpoint)));
    }
}

static void add_patch_errors(struct replies *replies)
{
    replies_add_error(replies, 400, "json_patch.malformed", "JSON Patch operation 0: op is missing",
                      "The JSON Patch is malformed.");
    replies_add_error(replies, 409, "json_patch.test_failed", "JSON Patch operation 0: the test failed",
                      "A test of the JSON Patch failed.");
    replies_add_error(replies, 422, "json_patch.failed", "JSON Patch operation 0: there is nothing at its path",
                      "The JSON Patch does not apply.");
    for (unsigned status = 200; status < 500; status++)
        if (status == 200 || status == 400 || status == 415)
            replies_add_headers(replies, status, accept_patch_field);
}

/* What the versions of one object bring: ETag, If-Match, If-None-Match. */
static void add_versions(struct replies *replies, const struct bp_endpoint *endpoint)
{
    if (is_change(endpoint) && endpoint->route->resource->require_match)
        add_error(replies, endpoint, 428, "condition_required", "cannot be changed without If-Match",
                  "There is no If-Match.");
    if (is_change(endpoint) || is_move(endpoint))
        add_error(replies, endpoint, 412, "version", "has been changed meanwhile",
                  "If-Match names another version than the present one.");
    if (!is(endpoint, bp_resource_delete))
        replies_add_headers(replies, is(endpoint, bp_resource_create) ? 201 : 200, etag_field);
    if (is(endpoint, bp_resource_get)) {
        replies_add(replies, 304, "The client has this version already.", NULL, NULL);
        replies_add_headers(replies, 304, etag_field);
    }
}

static void add_move_errors(struct replies *replies, const struct bp_endpoint *endpoint)
{
    add_error(replies, endpoint, 400, "beside_itself", "cannot be moved beside itself", NULL);
    add_error(replies, endpoint, 409, "order", "cannot be moved there: the two are not in this order", NULL);
    add_error(replies, endpoint, 409, "conflict", "conflicts with another", NULL);
}

bool resource_replies(struct replies *replies, const struct bp_endpoint *endpoint)
{
    const struct bp_resource *resource = endpoint->route->resource;
    bool bulk = is(endpoint, bp_resource_bulk), create = is(endpoint, bp_resource_create);
    bool list = is(endpoint, bp_resource_list), get = is(endpoint, bp_resource_get);
    if (!resource || !(bulk || create || list || get || is_change(endpoint) || is_move(endpoint)))
        return false;
    add_success(replies, endpoint);
    if (get)
        replies_add_error(replies, 400, "validation.failed",
                          "Validation failed: Query parameter \"fields\" names \"x\", which is no member",
                          "fields names what is no member.");
    if (is_move(endpoint))
        add_move_errors(replies, endpoint);
    if (get || is_change(endpoint) || is_move(endpoint))
        add_error(replies, endpoint, 404, "not_found", "not found", "There is none of this identifier.");
    if (create || is(endpoint, bp_resource_update) || is(endpoint, bp_resource_replace) ||
        is(endpoint, bp_resource_delete))
        add_error(replies, endpoint, 409, "conflict", "conflicts with another", NULL);
    if (bulk)
        replies_add_error(replies, 400, "bulk.malformed", "\"operations\" must be an array of 1 to 100 operations",
                          "The operations are malformed.");
    if (is(endpoint, bp_resource_update))
        add_patch_errors(replies);
    if (resource->version && !list && !bulk)
        add_versions(replies, endpoint);
    if (create)
        replies_add_headers(replies, 201, location_field);
    return true;
}

/* Names of members, separated by commas. */
static void set_names(struct document *document, json_t *parameter, const struct bp_field *rows, bool sort)
{
    json_t *names = json_array();
    for (const struct bp_field *row = rows; row->type != BP_TYPE_END; row++) {
        bp_str json = row->type == BP_TYPE_PRESENCE ? bp_str_n(NULL, 0) : bp_field_name(row);
        if (!json.ptr || (sort && !(row->flags & BP_SORT)))
            continue;
        document_append(document, names, json_stringn(json.ptr, json.len));
        if (sort)
            document_append(document, names, json_sprintf("-%.*s", (int)json.len, json.ptr));
    }
    json_t *schema = json_pack("{s:s,s:{s:s,s:o}}", "type", "array", "items", "type", "string", "enum", names);
    if (sort)
        document_set(document, schema, "maxItems", json_integer(4));
    if (sort)
        document_set(document, schema, "uniqueItems", json_true());
    document_set(document, parameter, "style", json_string("form"));
    document_set(document, parameter, "explode", json_false());
    document_set(document, parameter, "schema", schema);
}

bool resource_parameter(struct document *document, json_t *parameter, const struct bp_endpoint *endpoint,
                        const struct bp_field *row)
{
    bool sort = strcmp(row->name, "sort") == 0;
    if (!is(endpoint, bp_resource_list) || (!sort && strcmp(row->name, "fields") != 0))
        return false;
    set_names(document, parameter, endpoint->route->resource->fields, sort);
    return true;
}

static void add_parameter(struct document *document, json_t *parameters, const char *in, const char *name,
                          const char *doc)
{
    document_append(
        document, parameters,
        json_pack("{s:s,s:s,s:s,s:{s:s}}", "name", name, "in", in, "description", doc, "schema", "type", "string"));
}

static void add_fields(struct document *document, json_t *parameters, const struct bp_field *rows)
{
    json_t *parameter = json_pack("{s:s,s:s,s:s}", "name", "fields", "in", "query", "description",
                                  "Members to reply with, separated by commas.");
    set_names(document, parameter, rows, false);
    document_append(document, parameters, parameter);
}

void resource_parameters(struct document *document, json_t *parameters, const struct bp_endpoint *endpoint)
{
    const struct bp_resource *resource = endpoint->route->resource;
    if (!resource)
        return;
    if (is(endpoint, bp_resource_get) && !endpoint->route->query)
        add_fields(document, parameters, resource->fields);
    if (resource->version && is(endpoint, bp_resource_get))
        add_parameter(document, parameters, "header", "If-None-Match",
                      "The ETag that the client has: 304 when it is current.");
    if (resource->version && (is_change(endpoint) || is_move(endpoint)))
        add_parameter(document, parameters, "header", "If-Match",
                      "The ETag of the version to change: 412 when it is not current.");
}

static json_t *bulk_body(struct document *document, const struct bp_endpoint *endpoint, const char *create,
                         const char *update)
{
    json_t *operation =
        json_pack("{s:s,s:[s],s:{s:{s:s,s:[s,s,s,s]},s:{s:s,s:s,s:s},s:{s:[o,o],s:s},s:{s:s,s:s}}}", "type", "object",
                  "required", "op", "properties", "op", "type", "string", "enum", "create", "update", "replace",
                  "delete", "id", "type", "string", "format", "uuid", "description", "Of all but create.", "data",
                  "anyOf", schema_table(document, endpoint->create_rows, USE_BODY, create),
                  schema_table(document, endpoint->update_rows, USE_BODY, update), "description", "Of all but delete.",
                  "ifMatch", "type", "string", "description", "As the field If-Match.");
    return json_pack("{s:s,s:[s],s:{s:{s:s,s:b,s:s},s:{s:s,s:i,s:i,s:o}}}", "type", "object", "required", "operations",
                     "properties", "atomic", "type", "boolean", "default", 0, "description",
                     "Whether all are undone when one fails.", "operations", "type", "array", "minItems", 1, "maxItems",
                     100, "items", operation);
}

json_t *resource_bodies(struct document *document, const struct bp_endpoint *endpoint)
{
    char noun[100], create[120], update[120];
    if (!resource_noun(endpoint, noun, sizeof(noun)))
        return NULL;
    snprintf(create, sizeof(create), "%sCreate", noun);
    snprintf(update, sizeof(update), "%sUpdate", noun);
    if (is(endpoint, bp_resource_bulk))
        return json_pack("{s:{s:o}}", "application/json", "schema", bulk_body(document, endpoint, create, update));
    if (is(endpoint, bp_resource_create) || is(endpoint, bp_resource_replace))
        return json_pack("{s:{s:o}}", "application/json", "schema",
                         schema_table(document, endpoint->route->body, USE_BODY, create));
    if (!is(endpoint, bp_resource_update))
        return NULL;
    json_t *merge = schema_table(document, endpoint->route->body, USE_BODY, update);
    return json_pack("{s:{s:O},s:{s:o},s:{s:o}}", "application/json", "schema", merge, "application/merge-patch+json",
                     "schema", merge, "application/json-patch+json", "schema", schema_ref("JsonPatch"));
}
