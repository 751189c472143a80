/* SPDX-License-Identifier: MIT */
#include "replies.h"

#include <stdio.h>
#include <string.h>

#include "schemas.h"

void replies_init(struct replies *replies, struct document *document)
{
    memset(replies, 0, sizeof(*replies));
    replies->document = document;
    replies->every = json_object();
}

static const char *usual_description(unsigned status)
{
    return status < 300 ? "Done." : status == 304 ? "Not modified." : "Refused.";
}

/* Its response object, made when it is the first. A further reason is added to the description. */
static json_t *response_of(struct replies *replies, unsigned status, const char *doc)
{
    json_t **response = &replies->by_status[status];
    const char *said = *response ? json_string_value(json_object_get(*response, "description")) : NULL;
    char text[1200];
    if (!*response)
        *response = json_pack("{s:s}", "description", doc ? doc : usual_description(status));
    else if (doc && said && !strstr(said, doc)) {
        snprintf(text, sizeof(text), "%s%s %s", said, said[0] && said[strlen(said) - 1] == '.' ? "" : ".", doc);
        document_set(replies->document, *response, "description", json_string(text));
    }
    if (!*response)
        replies->document->failed = true;
    return *response;
}

static json_t *member_of(struct document *document, json_t *object, const char *key)
{
    json_t *member = json_object_get(object, key);
    if (!member) {
        document_set(document, object, key, json_object());
        member = json_object_get(object, key);
    }
    return member;
}

/* A second schema of one status and type: either. */
static void add_schema(struct document *document, json_t *media, json_t *schema)
{
    json_t *before = json_object_get(media, "schema"), *either = json_object_get(before, "anyOf");
    if (!before) {
        document_set(document, media, "schema", schema);
        return;
    }
    for (size_t i = 0; i < json_array_size(either); i++)
        if (json_equal(json_array_get(either, i), schema)) {
            json_decref(schema);
            return;
        }
    if (json_equal(before, schema))
        json_decref(schema);
    else if (either)
        document_append(document, either, schema);
    else
        document_set(document, media, "schema", json_pack("{s:[O,o]}", "anyOf", before, schema));
}

void replies_add(struct replies *replies, unsigned status, const char *doc, const char *type, json_t *schema)
{
    struct document *document = replies->document;
    json_t *response = response_of(replies, status, doc);
    if (!type)
        return;
    json_t *media = member_of(document, member_of(document, response, "content"), type);
    if (schema)
        add_schema(document, media, schema);
}

/* A component, unless there is another one of this name; takes example over. */
static json_t *shared_example(struct document *document, const char *code, json_t *example)
{
    char ref[160];
    json_t *known = json_object_get(document->examples, code);
    if (!example || (known && !json_equal(known, example)))
        return example;
    if (known)
        json_decref(example);
    else
        document_set(document, document->examples, code, example);
    snprintf(ref, sizeof(ref), "#/components/examples/%.120s", code);
    return json_pack("{s:s}", "$ref", ref);
}

static json_t *error_example(struct document *document, unsigned status, const char *code, const char *message)
{
    return shared_example(document, code,
                          json_pack("{s:{s:b,s:s,s:s,s:s,s:s}}", "value", "success", 0, "status",
                                    status < 500 ? "fail" : "error", "message", message, "code", code, "requestId",
                                    "0199f0c2-7d5e-7c1a-9b64-3f1d2a5c8e70"));
}

void replies_add_error(struct replies *replies, unsigned status, const char *code, const char *message, const char *doc)
{
    struct document *document = replies->document;
    replies_add(replies, status, doc ? doc : message, "application/json", schema_ref("Error"));
    replies_add(replies, status, NULL, "application/problem+json", schema_ref("Problem"));
    json_t *content = json_object_get(replies->by_status[status], "content");
    json_t *examples = member_of(document, json_object_get(content, "application/json"), "examples");
    document_set(document, examples, code, error_example(document, status, code, message));
}

/* A component, unless there is another one of this name; takes header over. */
static json_t *shared_header(struct document *document, const struct bp_field *row, json_t *header)
{
    const char *name = row->json ? row->json : row->name;
    char ref[160];
    json_t *known = json_object_get(document->headers, name);
    if (known && !json_equal(known, header))
        return header;
    if (known)
        json_decref(header);
    else
        document_set(document, document->headers, name, header);
    snprintf(ref, sizeof(ref), "#/components/headers/%.120s", name);
    return json_pack("{s:s}", "$ref", ref);
}

static void add_headers(struct document *document, json_t *headers, const struct bp_field *rows)
{
    for (const struct bp_field *row = rows; row && row->type != BP_TYPE_END; row++) {
        json_t *header = json_object();
        if (row->doc)
            document_set(document, header, "description", json_string(row->doc));
        document_set(document, header, "schema", schema_value(document, row, USE_PARAMETER, "Header"));
        document_set(document, headers, row->json ? row->json : row->name, shared_header(document, row, header));
    }
}

void replies_add_headers(struct replies *replies, unsigned status, const struct bp_field *rows)
{
    struct document *document = replies->document;
    if (rows && status == 0)
        add_headers(document, replies->every, rows);
    else if (rows)
        add_headers(document, member_of(document, response_of(replies, status, NULL), "headers"), rows);
}

json_t *replies_envelope(struct document *document, json_t *data)
{
    json_t *schema =
        json_pack("{s:s,s:[s,s],s:{s:{s:s,s:b},s:{s:s}}}", "type", "object", "required", "success", "message",
                  "properties", "success", "type", "boolean", "const", 1, "message", "type", "string");
    if (data) {
        document_append(document, json_object_get(schema, "required"), json_string("data"));
        document_set(document, json_object_get(schema, "properties"), "data", data);
    }
    return schema;
}

void replies_add_answer(struct replies *replies, const struct bp_answer *answer, uint32_t form, const char *name)
{
    struct document *document = replies->document;
    if (answer->status != 0 && (answer->status < 200 || answer->status > 599))
        return;
    if (answer->status != 0 && answer->code) {
        replies_add_error(replies, answer->status, answer->code, answer->message ? answer->message : answer->code,
                          answer->doc);
    } else if (answer->status != 0 && answer->reply) {
        json_t *schema = schema_table(document, answer->reply, USE_REPLY, name);
        replies_add(replies, answer->status, answer->doc, "application/json",
                    form == BP_REPLY_BARE ? schema : replies_envelope(document, schema));
    } else if (answer->status != 0) {
        replies_add(replies, answer->status, answer->doc, NULL, NULL);
    }
    replies_add_headers(replies, answer->status, answer->headers);
}

json_t *replies_finish(struct replies *replies)
{
    struct document *document = replies->document;
    json_t *all = json_object();
    for (unsigned status = 200; status < 600; status++) {
        json_t *response = replies->by_status[status];
        char key[8];
        if (!response)
            continue;
        if (json_object_size(replies->every) > 0) {
            json_t *headers = member_of(document, response, "headers");
            if (json_object_update_missing(headers, replies->every) != 0)
                document->failed = true;
        }
        snprintf(key, sizeof(key), "%u", status);
        document_set(document, all, key, response);
    }
    json_decref(replies->every);
    return all;
}

json_t *replies_malformed(struct document *document)
{
    static const struct {
        unsigned status;
        const char *code, *message;
    } errors[] = {
        {400, "http.malformed", "Malformed path in the request target"},
        {408, "http.request_timeout", "The request head did not arrive in time"},
        {414, "http.target_too_long", "request target too long"},
        {417, "http.expectation_failed", "Only the expectation 100-continue is understood"},
        {431, "http.head_too_large", "request head too large"},
        {505, "http.version", "HTTP version not supported"},
    };
    struct replies replies;
    json_t *examples = json_object();
    replies_init(&replies, document);
    replies_add(
        &replies, 400,
        "What is no request by RFC 9110 and 9112, or larger than the server takes: 400, 408, 414, 417, 431, 505. "
        "Of any path.",
        "application/json", schema_ref("Error"));
    replies_add(&replies, 400, NULL, "application/problem+json", schema_ref("Problem"));
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
        document_set(document, examples, errors[i].code,
                     error_example(document, errors[i].status, errors[i].code, errors[i].message));
    json_t *response = replies.by_status[400];
    document_set(document, json_object_get(json_object_get(response, "content"), "application/json"), "examples",
                 examples);
    json_decref(replies.every);
    return json_pack("{s:o}", "Malformed", response);
}
