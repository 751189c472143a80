/* SPDX-License-Identifier: MIT */
/* The middleware: says which replies are not what the document says. */
#include <stdio.h>
#include <string.h>

#include "openapi.h"
#include "operations.h"
#include "validate.h"

/* "application/json" of "application/json; charset=utf-8" */
static void media_type(bp_str type, char *out, size_t size)
{
    size_t len = 0;
    while (len < type.len && len + 1 < size && type.ptr[len] != ';' && type.ptr[len] != ' ') {
        out[len] = type.ptr[len];
        len++;
    }
    out[len] = '\0';
}

static bool is_json(const char *type)
{
    size_t len = strlen(type);
    return strcmp(type, "application/json") == 0 || (len > 5 && strcmp(type + len - 5, "+json") == 0);
}

static bool check_body(const struct openapi *openapi, struct bp_request *rq, json_t *content, char *why)
{
    char type[100];
    bp_str body = bp_reply_content(rq);
    media_type(bp_reply_content_type(rq), type, sizeof(type));
    json_t *media = json_object_get(content, type);
    if (!media) {
        snprintf(why, VALIDATE_WHY, "its content type is not documented: %s", type);
        return false;
    }
    json_t *schema = json_object_get(media, "schema");
    if (bp_reply_streams(rq) || !is_json(type) || !schema || bp_reply_header(rq, BP_STR("Content-Encoding")).ptr)
        return true;
    json_error_t error;
    json_t *value = json_loadb(body.ptr, body.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!value) {
        snprintf(why, VALIDATE_WHY, "its body is no JSON: %.160s", error.text);
        return false;
    }
    bool right = validate(openapi->document, schema, value, why);
    json_decref(value);
    return right;
}

static bool check_reply(const struct openapi *openapi, struct bp_request *rq, json_t *operation, char *why)
{
    char status[16];
    snprintf(status, sizeof(status), "%u", bp_reply_status(rq));
    json_t *response = json_object_get(json_object_get(operation, "responses"), status);
    json_t *content = json_object_get(response, "content");
    if (!response) {
        snprintf(why, VALIDATE_WHY, "its status is not documented");
        return false;
    }
    if (content)
        return check_body(openapi, rq, content, why);
    if (bp_reply_content(rq).len > 0) {
        snprintf(why, VALIDATE_WHY, "it has a body, and none is documented");
        return false;
    }
    return true;
}

int openapi_check(struct bp_request *rq, void *self, const void *stage)
{
    const struct openapi *openapi = self;
    char why[VALIDATE_WHY] = "";
    (void)stage;
    int status = bp_next(rq);
    const struct bp_route *route = bp_request_endpoint(rq);
    if (!openapi->validate_replies || status == BP_CANCELED || !route || bp_request_method(rq) == BP_OPTIONS ||
        bp_reply_status(rq) == 0)
        return status;
    json_t *path = json_object_get(json_object_get(openapi->document, "paths"), route->path);
    json_t *operation = json_object_get(path, operation_method(route->method));
    /* What is left out of the document is served elsewhere, or no business of clients. */
    if (operation && !check_reply(openapi, rq, operation, why))
        bp_log(openapi->host, BP_LOG_ERROR, "openapi.undocumented_reply",
               "A reply is not what the OpenAPI document says", bp_log_str("method", bp_request_method_name(rq)),
               bp_log_cstr("route", route->path), bp_log_int("status", bp_reply_status(rq)),
               bp_log_cstr("reason", why));
    return status;
}
