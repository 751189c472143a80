/* SPDX-License-Identifier: MIT */
#include "schemas.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bp_field *first_row(const struct bp_field *rows)
{
    return rows[0].type == BP_TYPE_PRESENCE ? rows + 1 : rows;
}

static bool is_bare(const struct bp_field *rows)
{
    const struct bp_field *row = first_row(rows);
    return row->name && row->name[0] == '\0' && row->type != BP_TYPE_END && row[1].type == BP_TYPE_END;
}

json_t *schema_ref(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "#/components/schemas/%s", name);
    return json_pack("{s:s}", "$ref", path);
}

/* A row's text (an example, a default) as a JSON value of the row's type; NULL when it is none. */
static json_t *schema_parse(const struct bp_field *row, const char *text)
{
    char *end = NULL;
    json_t *value = NULL;
    switch (row->type) {
    case BP_TYPE_BOOL:
        return json_boolean(strcmp(text, "true") == 0);
    case BP_TYPE_U32:
    case BP_TYPE_I64:
    case BP_TYPE_SIZE: {
        long long integer = strtoll(text, &end, 10);
        return end != text && *end == '\0' ? json_integer(integer) : NULL;
    }
    case BP_TYPE_F64: {
        double number = strtod(text, &end);
        return end != text && *end == '\0' ? json_real(number) : NULL;
    }
    case BP_TYPE_OBJECT:
    case BP_TYPE_ARRAY:
        value = json_loads(text, 0, NULL);
        if (row->type == BP_TYPE_ARRAY ? json_is_array(value) : json_is_object(value))
            return value;
        json_decref(value);
        return NULL;
    default:
        return json_string(text);
    }
}

static void set_bounds(struct document *document, json_t *schema, const struct bp_field *row, const char *low,
                       const char *high)
{
    bool none = row->min == 0 && row->max == 0;
    if (row->type == BP_TYPE_U32 || row->type == BP_TYPE_SIZE || (!none && row->min != INT64_MIN && row->min != 0))
        document_set(document, schema, low, json_integer(row->min > INT64_MIN ? row->min : 0));
    else if (!none && row->min == 0 && (row->type == BP_TYPE_I64 || row->type == BP_TYPE_F64))
        document_set(document, schema, low, json_integer(0));
    if (!none && !(row->max == 0 && row->min > 0) && row->max != INT64_MAX)
        document_set(document, schema, high, json_integer(row->max));
}

static json_t *choices_of(struct document *document, const struct bp_field *row)
{
    json_t *names = json_array();
    for (size_t i = 0; row->choices && row->choices[i]; i++)
        document_append(document, names, json_string(row->choices[i]));
    if (row->flags & BP_NULLABLE)
        document_append(document, names, json_null());
    return names;
}

/* "type", with null where that is a value. */
static void set_type(struct document *document, json_t *schema, const struct bp_field *row, const char *type)
{
    document_set(document, schema, "type",
                 row->flags & BP_NULLABLE ? json_pack("[ss]", type, "null") : json_string(type));
}

static void set_text(struct document *document, json_t *schema, const char *key, const char *text)
{
    document_set(document, schema, key, json_string(text));
}

/* What a text must look like: that which is trimmed and may not be empty has more than white space. */
static void set_patterns(struct document *document, json_t *schema, const struct bp_field *row)
{
    static const char *const not_blank[] = {"\\S", NULL};
    const char *const *patterns = row->patterns                          ? row->patterns
                                  : row->flags & BP_TRIM && row->min > 0 ? not_blank
                                                                         : NULL;
    if (!patterns || !patterns[0])
        return;
    set_text(document, schema, "pattern", patterns[0]);
    if (!patterns[1])
        return;
    json_t *others = json_array();
    for (size_t i = 1; patterns[i]; i++)
        document_append(document, others, json_pack("{s:s}", "pattern", patterns[i]));
    document_set(document, schema, "allOf", others);
}

/* Bounds, form and choices of a value without members. */
static void describe_scalar(struct document *document, json_t *schema, const struct bp_field *row, enum use use)
{
    switch (row->type) {
    case BP_TYPE_BOOL:
        set_type(document, schema, row, "boolean");
        break;
    case BP_TYPE_U32:
    case BP_TYPE_I64:
    case BP_TYPE_SIZE:
        set_type(document, schema, row, "integer");
        set_text(document, schema, "format", "int64");
        set_bounds(document, schema, row, "minimum", "maximum");
        break;
    case BP_TYPE_F64:
        set_type(document, schema, row, "number");
        set_text(document, schema, "format", "double");
        set_bounds(document, schema, row, "minimum", "maximum");
        break;
    case BP_TYPE_CHOICE:
        set_type(document, schema, row, "string");
        document_set(document, schema, "enum", choices_of(document, row));
        break;
    case BP_TYPE_UUID:
        set_type(document, schema, row, "string");
        set_text(document, schema, "format", "uuid");
        break;
    case BP_TYPE_DATE:
        set_type(document, schema, row, "string");
        set_text(document, schema, "format", "date-time");
        break;
    case BP_TYPE_SPAN:
        set_type(document, schema, row, "string");
        set_text(document, schema, "pattern", "^[0-9]+(ns|us|ms|s|m|h|d)?$");
        break;
    default:
        set_type(document, schema, row, "string");
        if (row->flags & BP_SECRET)
            set_text(document, schema, "format", "password");
        set_bounds(document, schema, row, "minLength", "maxLength");
        if (use != USE_REPLY)
            set_patterns(document, schema, row);
        break;
    }
}

static void set_words(struct document *document, json_t *schema, const struct bp_field *row, enum use use)
{
    json_t *value;
    if (row->doc && use != USE_PARAMETER)
        set_text(document, schema, "description", row->doc);
    if (row->def && use != USE_REPLY) {
        value = schema_parse(row, row->def);
        if (value)
            document_set(document, schema, "default", value);
    }
    if (row->example) {
        value = schema_parse(row, row->example);
        if (value)
            document_set(document, schema, "examples", json_pack("[o]", value));
    }
    if (row->flags & BP_READ_ONLY && use == USE_REPLY)
        document_set(document, schema, "readOnly", json_true());
}

static json_t *describe_array(struct document *document, const struct bp_field *row, enum use use, const char *name)
{
    json_t *schema = json_object();
    set_type(document, schema, row, "array");
    document_set(document, schema, "items",
                 is_bare(row->sub) ? schema_value(document, first_row(row->sub), use, name)
                                   : schema_table(document, row->sub, use, name));
    if (row->min > 0)
        document_set(document, schema, "minItems", json_integer(row->min));
    if (row->max > 0)
        document_set(document, schema, "maxItems", json_integer(row->max));
    return schema;
}

json_t *schema_value(struct document *document, const struct bp_field *row, enum use use, const char *parent)
{
    char name[160];
    json_t *schema;
    if (row->type == BP_TYPE_OBJECT || row->type == BP_TYPE_ARRAY) {
        bp_str json = bp_field_name(row);
        snprintf(name, sizeof(name), "%.100s%c%.*s", parent, json.len ? toupper((unsigned char)json.ptr[0]) : 'X',
                 json.len > 1 ? (int)json.len - 1 : 0, json.len > 1 ? json.ptr + 1 : "");
        if (row->type == BP_TYPE_ARRAY) {
            schema = describe_array(document, row, use, name);
        } else {
            schema = schema_table(document, row->sub, use, name);
            if (row->flags & BP_NULLABLE)
                schema = json_pack("{s:[o,{s:s}]}", "anyOf", schema, "type", "null");
        }
    } else {
        schema = json_object();
        describe_scalar(document, schema, row, use);
    }
    set_words(document, schema, row, use);
    return schema;
}

json_t *schema_names(struct document *document, const struct bp_field *rows)
{
    json_t *names = json_array();
    for (const struct bp_field *row = first_row(rows); row->type != BP_TYPE_END; row++) {
        bp_str json = bp_field_name(row);
        document_append(document, names, json_stringn(json.ptr, json.len));
    }
    return names;
}

/* A body needs what is required; a reply has every member, unless its structs say which they have. */
static json_t *required_of(struct document *document, const struct bp_field *rows, enum use use)
{
    json_t *names;
    if (use == USE_REPLY)
        return rows[0].type == BP_TYPE_PRESENCE ? json_array() : schema_names(document, rows);
    names = json_array();
    for (const struct bp_field *row = first_row(rows); row->type != BP_TYPE_END; row++) {
        bp_str json = bp_field_name(row);
        if (row->flags & BP_REQUIRED)
            document_append(document, names, json_stringn(json.ptr, json.len));
    }
    return names;
}

static json_t *describe_table(struct document *document, const struct bp_field *rows, enum use use, const char *name)
{
    json_t *properties = json_object(), *required = required_of(document, rows, use), *schema = json_object();
    for (const struct bp_field *row = first_row(rows); row->type != BP_TYPE_END; row++) {
        bp_str json = bp_field_name(row);
        char key[128];
        snprintf(key, sizeof(key), "%.*s", (int)json.len, json.ptr);
        document_set(document, properties, key, schema_value(document, row, use, name));
    }
    document_set(document, schema, "type", json_string("object"));
    if (json_array_size(required) > 0)
        document_set(document, schema, "required", required);
    else
        json_decref(required);
    if (json_object_size(properties) > 0) /* else of any members */
        document_set(document, schema, "properties", properties);
    else
        json_decref(properties);
    return schema;
}

static const char *free_name(const struct document *document, const char *wanted, char *name, size_t size)
{
    snprintf(name, size, "%.150s", wanted);
    for (unsigned n = 2; json_object_get(document->schemas, name); n++)
        snprintf(name, size, "%.150s%u", wanted, n);
    return name;
}

json_t *schema_table(struct document *document, const struct bp_field *rows, enum use use, const char *wanted)
{
    char name[180];
    for (size_t i = 0; i < document->component_count; i++)
        if (document->components[i].rows == rows && document->components[i].use == use)
            return schema_ref(document->components[i].name);
    struct component *component = &document->components[document->component_count];
    if (document->component_count == DOCUMENT_TABLES) {
        document->failed = true;
        return json_object();
    }
    component->name = strdup(free_name(document, wanted, name, sizeof(name)));
    if (!component->name) {
        document->failed = true;
        return NULL;
    }
    component->rows = rows;
    component->use = use;
    document->component_count++;
    /* Its place, in the order in which tables are met; filled below, after its sub-tables. */
    document_set(document, document->schemas, component->name, json_object());
    document_set(document, document->schemas, component->name, describe_table(document, rows, use, component->name));
    return schema_ref(component->name);
}

void schema_add_common(struct document *document)
{
    static const char *const common[][2] = {
        {"ErrorItem",
         "{\"type\":\"object\",\"description\":\"One thing wrong with a request.\","
         "\"required\":[\"field\",\"pointer\",\"code\",\"message\"],\"properties\":{"
         "\"field\":{\"type\":\"string\",\"description\":\"The member or parameter.\",\"examples\":[\"title\"]},"
         "\"pointer\":{\"type\":\"string\",\"description\":\"Where it is (RFC 6901).\",\"examples\":[\"/title\"]},"
         "\"code\":{\"type\":\"string\",\"examples\":[\"required\"]},"
         "\"message\":{\"type\":\"string\",\"examples\":[\"Title is required\"]}}}"},
        {"Error", "{\"type\":\"object\",\"description\":\"What went wrong, in the usual form.\","
                  "\"required\":[\"success\",\"status\",\"message\",\"code\"],\"properties\":{"
                  "\"success\":{\"type\":\"boolean\",\"const\":false},"
                  "\"status\":{\"type\":\"string\",\"enum\":[\"fail\",\"error\"],"
                  "\"description\":\"fail: of the request; error: of the server.\"},"
                  "\"message\":{\"type\":\"string\",\"description\":\"For people.\"},"
                  "\"code\":{\"type\":\"string\",\"description\":\"For programs.\"},"
                  "\"errors\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/ErrorItem\"}},"
                  "\"requestId\":{\"type\":\"string\",\"description\":\"To quote when asking for help.\"}}}"},
        {"Problem",
         "{\"type\":\"object\",\"description\":\"What went wrong, as RFC 9457 has it: for clients that prefer "
         "application/problem+json.\",\"required\":[\"type\",\"title\",\"status\",\"detail\",\"code\"],\"properties\":{"
         "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
         "\"detail\":{\"type\":\"string\"},\"instance\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"},"
         "\"errors\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/ErrorItem\"}},"
         "\"requestId\":{\"type\":\"string\"},\"traceId\":{\"type\":\"string\"}}}"},
        {"JsonPatch",
         "{\"type\":\"array\",\"description\":\"JSON Patch (RFC "
         "6902).\",\"maxItems\":100,\"items\":{\"type\":\"object\","
         "\"required\":[\"op\",\"path\"],\"properties\":{"
         "\"op\":{\"type\":\"string\",\"enum\":[\"add\",\"remove\",\"replace\",\"move\",\"copy\",\"test\"]},"
         "\"path\":{\"type\":\"string\",\"description\":\"Of a member (RFC 6901).\"},"
         "\"from\":{\"type\":\"string\"},\"value\":{}}}}"},
    };
    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        document_set(document, document->schemas, common[i][0], json_loads(common[i][1], 0, NULL));
}
