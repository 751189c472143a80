/* SPDX-License-Identifier: MIT */
#include "validate.h"

#include <stdio.h>
#include <string.h>

#include "backplane/clock.h"
#include "backplane/uuid.h"

#define DEPTH_MAX 64

struct place {
    json_t *document;
    char *why;
    const struct place *parent;
    const char *key; /* NULL: an item of an array */
    size_t index;
    unsigned depth;
};

static void put_path(const struct place *place, char *out, size_t size)
{
    size_t len;
    if (!place->parent)
        return;
    put_path(place->parent, out, size);
    len = strlen(out);
    if (place->key)
        snprintf(out + len, size - len, "/%s", place->key);
    else
        snprintf(out + len, size - len, "/%zu", place->index);
}

static bool wrong(const struct place *place, const char *what, const char *detail)
{
    char path[160] = "";
    put_path(place, path, sizeof(path));
    snprintf(place->why, VALIDATE_WHY, "%.150s %s%.80s", path[0] ? path : "it", what, detail);
    return false;
}

static bool has_type(const char *type, const json_t *value)
{
    return strcmp(type, "object") == 0    ? json_is_object(value)
           : strcmp(type, "array") == 0   ? json_is_array(value)
           : strcmp(type, "string") == 0  ? json_is_string(value)
           : strcmp(type, "integer") == 0 ? json_is_integer(value)
           : strcmp(type, "number") == 0  ? json_is_number(value)
           : strcmp(type, "boolean") == 0 ? json_is_boolean(value)
                                          : json_is_null(value);
}

static bool check_type(const struct place *place, const json_t *type, const json_t *value)
{
    if (json_is_string(type))
        return has_type(json_string_value(type), value) || wrong(place, "is not of the type ", json_string_value(type));
    for (size_t i = 0; i < json_array_size(type); i++)
        if (has_type(json_string_value(json_array_get(type, i)), value))
            return true;
    return wrong(place, "is of none of its types", "");
}

static bool check_format(const struct place *place, const char *format, const char *text)
{
    bp_uuid uuid;
    bp_date date;
    bool right = true;
    if (strcmp(format, "uuid") == 0)
        right = bp_uuid_parse(bp_str_of(text), &uuid);
    else if (strcmp(format, "date-time") == 0)
        right = bp_date_parse(bp_str_of(text), &date);
    return right || wrong(place, "is not of the format ", format);
}

/* Code points of UTF-8. */
static long long length_of(const char *text)
{
    long long length = 0;
    for (; *text; text++)
        length += ((unsigned char)*text & 0xc0) != 0x80;
    return length;
}

static bool check_bounds(const struct place *place, const json_t *schema, const json_t *value)
{
    static const struct {
        const char *low, *high;
    } names[] = {{"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"}};
    unsigned kind = json_is_string(value) ? 1 : json_is_array(value) ? 2 : 0;
    if (!json_is_number(value) && kind == 0)
        return true;
    const json_t *low = json_object_get(schema, names[kind].low), *high = json_object_get(schema, names[kind].high);
    double size = kind == 1   ? (double)length_of(json_string_value(value))
                  : kind == 2 ? (double)json_array_size(value)
                              : json_number_value(value);
    if ((low && size < json_number_value(low)) || (high && size > json_number_value(high)))
        return wrong(place, "is out of bounds", "");
    return true;
}

static bool check(const struct place *place, json_t *schema, json_t *value);

static bool check_members(const struct place *place, json_t *schema, json_t *value)
{
    json_t *properties = json_object_get(schema, "properties"), *required = json_object_get(schema, "required"),
           *member;
    const char *key;
    for (size_t i = 0; i < json_array_size(required); i++)
        if (!json_object_get(value, json_string_value(json_array_get(required, i))))
            return wrong(place, "lacks the member ", json_string_value(json_array_get(required, i)));
    if (!properties)
        return true;
    json_object_foreach(value, key, member)
    {
        struct place inner = {place->document, place->why, place, key, 0, place->depth + 1};
        json_t *property = json_object_get(properties, key);
        if (!property)
            return wrong(place, "has a member that is not documented: ", key);
        if (!check(&inner, property, member))
            return false;
    }
    return true;
}

static bool check_one_of(const struct place *place, const json_t *any, json_t *value)
{
    bool fits = false;
    for (size_t i = 0; i < json_array_size(any) && !fits; i++)
        fits = check(place, json_array_get(any, i), value);
    if (fits)
        place->why[0] = '\0';
    return fits; /* else why is what is wrong by the last of them */
}

static bool check_enum(const struct place *place, json_t *names, json_t *value)
{
    size_t i = 0;
    while (i < json_array_size(names) && !json_equal(json_array_get(names, i), value))
        i++;
    return i < json_array_size(names) || wrong(place, "is none of the values that it may have", "");
}

static json_t *follow(json_t *document, const char *ref)
{
    static const char prefix[] = "#/components/schemas/";
    if (strncmp(ref, prefix, sizeof(prefix) - 1) != 0)
        return NULL;
    return json_object_get(json_object_get(json_object_get(document, "components"), "schemas"),
                           ref + sizeof(prefix) - 1);
}

static bool check(const struct place *place, json_t *schema, json_t *value)
{
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    const char *format = json_string_value(json_object_get(schema, "format"));
    json_t *type = json_object_get(schema, "type"), *names = json_object_get(schema, "enum"),
           *fixed = json_object_get(schema, "const"), *any = json_object_get(schema, "anyOf"),
           *items = json_object_get(schema, "items"), *item;
    size_t i;
    if (place->depth > DEPTH_MAX)
        return wrong(place, "is nested too deeply", "");
    if (ref && !follow(place->document, ref))
        return wrong(place, "refers to a schema that is not there: ", ref);
    if (ref && !check(place, follow(place->document, ref), value))
        return false;
    if ((type && !check_type(place, type, value)) || (names && !check_enum(place, names, value)) ||
        (any && !check_one_of(place, any, value)))
        return false;
    if (fixed && !json_equal(fixed, value))
        return wrong(place, "is not the value that it always has", "");
    if (format && json_is_string(value) && !check_format(place, format, json_string_value(value)))
        return false;
    if (!check_bounds(place, schema, value))
        return false;
    if (json_is_object(value) && !check_members(place, schema, value))
        return false;
    if (items && json_is_array(value))
        json_array_foreach(value, i, item)
        {
            struct place inner = {place->document, place->why, place, NULL, i, place->depth + 1};
            if (!check(&inner, items, item))
                return false;
        }
    return true;
}

bool validate(json_t *document, json_t *schema, json_t *value, char why[VALIDATE_WHY])
{
    const struct place top = {.document = document, .why = why};
    return check(&top, schema, value);
}
