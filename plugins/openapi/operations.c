/* SPDX-License-Identifier: MIT */
/* One route, as OpenAPI's operation object. */
#include "operations.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "backplane/resource.h"

#include "replies.h"
#include "resources.h"
#include "schemas.h"

const char *operation_method(uint32_t method)
{
    static const char *const names[] = {"", "get", "head", "post", "put", "patch", "delete", "options"};
    return names[method < sizeof(names) / sizeof(*names) ? method : 0];
}

/* "AuthLogin" for "auth.login", "AuthSignUp" for "auth.sign_up". */
static void type_name(const char *name, char *out, size_t size)
{
    size_t at = 0;
    bool up = true;
    for (; *name && at + 1 < size; name++) {
        if (!isalnum((unsigned char)*name)) {
            up = true;
            continue;
        }
        out[at++] = (char)(up ? toupper((unsigned char)*name) : *name);
        up = false;
    }
    out[at] = '\0';
}

/* The rows of a table of answers have the stride of the first one's size: those of an older plugin are shorter. */
static bool next_answer(const struct bp_answer *rows, size_t *at, struct bp_answer *ret_answer)
{
    const char *row = (const char *)rows;
    uint32_t size;
    if (!row)
        return false;
    row += *at;
    memcpy(&size, row, sizeof(size));
    if (size == 0)
        return false;
    memset(ret_answer, 0, sizeof(*ret_answer));
    memcpy(ret_answer, row, size < sizeof(*ret_answer) ? size : sizeof(*ret_answer));
    *at += size;
    return true;
}

struct operation {
    struct document *document;
    const struct bp_endpoint *endpoint;
    const struct bp_route *route;
    struct replies replies;
    json_t *parameters, *security;
    char name[140]; /* of components */
};

/* Two who look at one header field: it is described once. */
static bool has_parameter(const struct operation *operation, const char *in, bp_str name)
{
    for (size_t i = 0; i < json_array_size(operation->parameters); i++) {
        const json_t *parameter = json_array_get(operation->parameters, i);
        if (bp_str_is(name, json_string_value(json_object_get(parameter, "name"))) &&
            strcmp(json_string_value(json_object_get(parameter, "in")), in) == 0)
            return true;
    }
    return false;
}

static void add_parameter(struct operation *operation, const char *in, const struct bp_field *row, bool required)
{
    bp_str json = bp_field_name(row);
    struct document *document = operation->document;
    if (has_parameter(operation, in, json))
        return;
    json_t *parameter = json_pack("{s:s%,s:s}", "name", json.ptr, json.len, "in", in);
    if (required)
        document_set(document, parameter, "required", json_true());
    if (row->flags & BP_LENIENT)
        document_set(document, parameter, "x-lenient", json_true());
    if (row->doc)
        document_set(document, parameter, "description",
                     json_sprintf("%s%s", row->doc,
                                  row->flags & BP_LENIENT ? " What is no such number counts as the default, a larger "
                                                            "one as the maximum."
                                                          : ""));
    if (!resource_parameter(document, parameter, operation->endpoint, row))
        document_set(document, parameter, "schema", schema_value(document, row, USE_PARAMETER, operation->name));
    document_append(document, operation->parameters, parameter);
}

static const struct bp_field *find_row(const struct bp_field *rows, const char *name, size_t len)
{
    for (const struct bp_field *row = rows; row && row->type != BP_TYPE_END; row++)
        if (row->type != BP_TYPE_PRESENCE && bp_str_eq(bp_field_name(row), bp_str_n(name, len)))
            return row;
    return NULL;
}

static void add_path_parameters(struct operation *operation)
{
    for (const char *at = strchr(operation->route->path, '{'); at; at = strchr(at + 1, '{')) {
        size_t len = strcspn(at + 1, "}");
        const struct bp_field *row = find_row(operation->route->params, at + 1, len);
        char name[100];
        snprintf(name, sizeof(name), "%.*s", (int)len, at + 1);
        const struct bp_field text = {.name = name, .json = name, .type = BP_TYPE_TEXT};
        if (row)
            add_parameter(operation, "path", row, true);
        else
            document_append(operation->document, operation->parameters,
                            json_pack("{s:s,s:s,s:b,s:{s:s}}", "name", text.name, "in", "path", "required", 1, "schema",
                                      "type", "string"));
    }
}

static void add_parameters(struct operation *operation)
{
    const struct bp_route *route = operation->route;
    add_path_parameters(operation);
    for (const struct bp_field *row = route->query; row && row->type != BP_TYPE_END; row++)
        if (row->type != BP_TYPE_PRESENCE)
            add_parameter(operation, "query", row, row->flags & BP_REQUIRED);
    resource_parameters(operation->document, operation->parameters, operation->endpoint);
}

/* What the core itself answers. */
static void add_core_replies(struct operation *operation, bool has_body)
{
    struct replies *replies = &operation->replies;
    const struct bp_route *route = operation->route;
    if (route->params || route->query)
        replies_add_error(replies, 400, "validation.failed",
                          "Validation failed: Limit must be an integer from 1 to 100",
                          "A parameter or member is not what it should be; errors says which.");
    if (has_body) {
        replies_add_error(replies, 400, "validation.failed", "Validation failed: Title is required",
                          "A parameter or member is not what it should be; errors says which.");
        replies_add_error(replies, 400, "http.malformed_json",
                          "Invalid JSON at line 1, column 2: string or '}' expected", "The body is no JSON.");
        replies_add_error(replies, 408, "http.request_timeout", "The request body did not arrive in time", NULL);
        replies_add_error(replies, 413, "http.body_too_large", "The body is too large", NULL);
        replies_add_error(replies, 415, "http.unsupported_media_type", "Content-Type must be application/json", NULL);
    }
    if (!route->reply_type)
        replies_add_error(replies, 406, "http.not_acceptable",
                          "The reply would be application/json, which Accept excludes", "Accept excludes JSON.");
    static const struct bp_field retry_after[] = {
        BP_HEADER_FIELD("Retry-After", BP_TYPE_U32, .doc = "Seconds to wait."), BP_END};
    replies_add_error(replies, 500, "http.internal", "Internal server error", "The server failed; its log says why.");
    replies_add_error(replies, 503, "http.busy", "Service unavailable",
                      "Too busy, or a service behind it is away: try again.");
    replies_add_headers(replies, 503, retry_after);
    replies_add_error(replies, 504, "http.timeout", "The request took too long", NULL);
}

/* Each of "text/plain, application/x": the client's Accept chooses. */
static void add_media_types(struct operation *operation, unsigned status, const char *types)
{
    for (const char *at = types; *at;) {
        char type[100];
        size_t len = strcspn(at, ",");
        snprintf(type, sizeof(type), "%.*s", (int)len, at);
        replies_add(&operation->replies, status, NULL, type, json_object());
        at += len + strspn(at + len, ", ");
    }
}

static void add_own_reply(struct operation *operation)
{
    const struct bp_route *route = operation->route;
    struct document *document = operation->document;
    char name[160];
    unsigned status = route->reply_status ? route->reply_status : 200;
    json_t *schema = NULL;
    snprintf(name, sizeof(name), "%sReply", operation->name);
    if (route->reply && status != 204)
        schema = schema_table(document, route->reply, USE_REPLY, name);
    if (status == 204)
        replies_add(&operation->replies, status, NULL, NULL, NULL);
    else if (route->reply_type)
        add_media_types(operation, status, route->reply_type);
    else
        replies_add(&operation->replies, status, NULL, "application/json",
                    route->reply_form == BP_REPLY_BARE ? schema ? schema : json_object()
                                                       : replies_envelope(document, schema));
}

/* What a caller shows to get past this stage. */
static void add_security(struct operation *operation, const char *what)
{
    struct document *document = operation->document;
    bool bearer = strcmp(what, "bearer") == 0;
    const char *name = bearer ? "bearerAuth" : what;
    for (size_t i = 0; i < json_array_size(operation->security); i++)
        if (json_object_get(json_array_get(operation->security, i), name))
            return;
    if (!json_object_get(document->security_schemes, name))
        document_set(document, document->security_schemes, name,
                     bearer ? json_pack("{s:s,s:s,s:s}", "type", "http", "scheme", "bearer", "description",
                                        "A token, as logging in gives it, in the field Authorization.")
                            : json_pack("{s:s,s:s,s:s}", "type", "apiKey", "in", "header", "name", what));
    document_append(document, operation->security, json_pack("{s:[]}", name));
}

static void add_stages(struct operation *operation, size_t index)
{
    struct bp_endpoint_stage stage;
    for (size_t i = 0; bp_endpoint_stage(operation->document->host, index, i, &stage); i++) {
        struct bp_answer answer;
        for (size_t at = 0; next_answer(stage.answers, &at, &answer);) {
            if ((answer.methods && !(answer.methods & 1u << operation->route->method)) ||
                (answer.cached_only && !(operation->route->cache_tag && operation->route->cache_tag[0])))
                continue;
            replies_add_answer(&operation->replies, &answer, BP_REPLY_ENVELOPE, "Answer");
            for (const struct bp_field *row = answer.request; row && row->type != BP_TYPE_END; row++)
                add_parameter(operation, "header", row, false);
            if (answer.security)
                add_security(operation, answer.security);
        }
    }
}

/* What the core asks of whoever was identified. */
static void add_guard(struct operation *operation)
{
    const struct bp_route *route = operation->route;
    json_t *ways = operation->security;
    if (json_array_size(ways) == 0)
        return;
    replies_add_error(&operation->replies, 403, "auth.forbidden", "Forbidden",
                      "The account lacks the role, or the token or key the scope.");
    for (size_t i = 0; route->scope && i < json_array_size(ways); i++) {
        json_t *scopes = json_object_iter_value(json_object_iter(json_array_get(ways, i)));
        if (json_array_size(scopes) == 0)
            document_append(operation->document, scopes, json_string(route->scope));
    }
}

static void add_answers(struct operation *operation, const struct bp_answer *rows)
{
    struct bp_answer answer;
    char name[160];
    for (size_t at = 0; next_answer(rows, &at, &answer);) {
        snprintf(name, sizeof(name), "%s%u", operation->name, answer.status);
        replies_add_answer(&operation->replies, &answer, operation->route->reply_form, name);
        for (const struct bp_field *row = answer.request; row && row->type != BP_TYPE_END; row++)
            add_parameter(operation, "header", row, false);
        if (answer.security)
            add_security(operation, answer.security);
    }
}

static json_t *bodies(struct operation *operation)
{
    json_t *content = resource_bodies(operation->document, operation->endpoint);
    char name[160];
    snprintf(name, sizeof(name), "%sBody", operation->name);
    if (!content && operation->route->body)
        content = json_pack("{s:{s:o}}", "application/json", "schema",
                            schema_table(operation->document, operation->route->body, USE_BODY, name));
    return content;
}

static void describe(struct operation *operation, json_t *object)
{
    const struct bp_route *route = operation->route;
    struct document *document = operation->document;
    const char *name = route->name ? route->name : route->path;
    bp_str instance = operation->endpoint->instance;
    size_t summary = route->doc ? strlen(route->doc) : 0;
    document_set(document, object, "tags", json_pack("[s%]", instance.ptr, instance.len));
    document_set(document, object, "operationId", json_string(name));
    if (route->doc) {
        if (summary > 0 && route->doc[summary - 1] == '.')
            summary--;
        document_set(document, object, "summary", json_stringn(route->doc, summary));
    } else {
        document_set(document, object, "summary", json_string(name));
    }
}

json_t *operation_make(struct document *document, size_t index, const struct bp_endpoint *endpoint)
{
    struct operation operation = {.document = document,
                                  .endpoint = endpoint,
                                  .route = endpoint->route,
                                  .parameters = json_array(),
                                  .security = json_array()};
    json_t *object = json_object();
    type_name(endpoint->route->name ? endpoint->route->name : endpoint->route->path, operation.name,
              sizeof(operation.name));
    replies_init(&operation.replies, document);
    describe(&operation, object);
    add_parameters(&operation);
    json_t *content = bodies(&operation);
    if (!resource_replies(&operation.replies, endpoint))
        add_own_reply(&operation);
    if (endpoint->route->resource && endpoint->route->method != BP_GET)
        add_answers(&operation, endpoint->route->resource->answers);
    add_answers(&operation, endpoint->route->answers);
    add_stages(&operation, index);
    add_guard(&operation);
    add_core_replies(&operation, content != NULL);
    if (json_array_size(operation.parameters) > 0)
        document_set(document, object, "parameters", operation.parameters);
    else
        json_decref(operation.parameters);
    if (content)
        document_set(document, object, "requestBody", json_pack("{s:b,s:o}", "required", 1, "content", content));
    json_t *responses = replies_finish(&operation.replies);
    document_set(document, responses, "default", json_pack("{s:s}", "$ref", "#/components/responses/Malformed"));
    document_set(document, object, "responses", responses);
    document_set(document, object, "security", operation.security);
    return object;
}
