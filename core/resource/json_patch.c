/* SPDX-License-Identifier: MIT */
#include "core/resource/json_patch.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "backplane/status.h"

#define TOKEN_MAX 200
#define DEPTH_MAX 64

/* A place: the container, and the key or index in it. container NULL: the whole document. */
struct place {
    json_t *container;
    char key[TOKEN_MAX];
    size_t index;
    json_t *value; /* what is there; NULL: nothing */
};

struct patcher {
    json_t *document;
    const char *why;
};

static int fail(struct patcher *patcher, int condition, const char *why)
{
    patcher->why = why;
    return condition;
}

/* One reference token, unescaped; *at moves behind it. False when it is too long or malformed. */
static bool take_token(const char **at, char token[TOKEN_MAX])
{
    size_t len = 0;
    const char *p = *at + 1;
    for (; *p && *p != '/'; p++) {
        char c = *p;
        if (c == '~' && p[1] != '0' && p[1] != '1')
            return false;
        if (c == '~')
            c = *++p == '0' ? '~' : '/';
        if (len + 1 == TOKEN_MAX)
            return false;
        token[len++] = c;
    }
    token[len] = '\0';
    *at = p;
    return true;
}

/* Digits without leading zeros, or "-": one behind the last. */
static bool index_of(const json_t *array, const char *token, size_t *ret_index)
{
    size_t index = 0;
    if (strcmp(token, "-") == 0) {
        *ret_index = json_array_size(array);
        return true;
    }
    if (!token[0] || (token[0] == '0' && token[1]))
        return false;
    for (; *token; token++) {
        if (*token < '0' || *token > '9' || index > json_array_size(array))
            return false;
        index = index * 10 + (size_t)(*token - '0');
    }
    *ret_index = index;
    return true;
}

static int look(struct patcher *patcher, struct place *place, json_t *container)
{
    place->container = container;
    if (json_is_object(container)) {
        place->value = json_object_get(container, place->key);
    } else if (json_is_array(container)) {
        if (!index_of(container, place->key, &place->index))
            return fail(patcher, JSON_PATCH_FAILED, "the path has no such array index");
        place->value = json_array_get(container, place->index);
    } else {
        return fail(patcher, JSON_PATCH_FAILED, "the path leads through a value that is no object or array");
    }
    return 0;
}

static int find(struct patcher *patcher, const char *pointer, struct place *ret_place)
{
    unsigned depth = 0;
    *ret_place = (struct place){.value = patcher->document};
    if (pointer[0] && pointer[0] != '/')
        return fail(patcher, JSON_PATCH_MALFORMED, "a path must be empty or begin with a slash");
    while (*pointer) {
        json_t *container = ret_place->value;
        if (!container)
            return fail(patcher, JSON_PATCH_FAILED, "the path does not exist");
        if (++depth > DEPTH_MAX || !take_token(&pointer, ret_place->key))
            return fail(patcher, JSON_PATCH_FAILED, "the path is too deep, too long or malformed");
        int status = look(patcher, ret_place, container);
        if (status)
            return status;
    }
    return 0;
}

static size_t count(const json_t *value, unsigned depth)
{
    size_t total = 1, index;
    const char *key;
    json_t *item;
    if (depth > DEPTH_MAX)
        return JSON_PATCH_NODES + 1;
    if (json_is_array(value)) {
        json_array_foreach(value, index, item) total += count(item, depth + 1);
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, item) total += count(item, depth + 1);
    }
    return total;
}

/* Puts a value (its reference is taken) at the place. */
static int put(struct patcher *patcher, const char *pointer, json_t *value, bool replaces)
{
    struct place place;
    int status = value ? find(patcher, pointer, &place) : BP_NOMEM;
    if (status == 0 && replaces && !place.value)
        status = fail(patcher, JSON_PATCH_FAILED, "the path does not exist");
    if (status) {
        json_decref(value);
        return status;
    }
    int failed = 0;
    if (!place.container) {
        json_decref(patcher->document);
        patcher->document = value;
    } else if (json_is_object(place.container)) {
        failed = json_object_set_new(place.container, place.key, value);
    } else if (replaces) {
        failed = json_array_set_new(place.container, place.index, value);
    } else if (place.index > json_array_size(place.container)) {
        json_decref(value);
        return fail(patcher, JSON_PATCH_FAILED, "the path has no such array index");
    } else {
        failed = json_array_insert_new(place.container, place.index, value);
    }
    if (failed)
        return BP_NOMEM;
    if (count(patcher->document, 0) > JSON_PATCH_NODES)
        return fail(patcher, JSON_PATCH_FAILED, "the result is too large");
    return 0;
}

static int take_away(struct patcher *patcher, const char *pointer, json_t **ret_value)
{
    struct place place;
    int status = find(patcher, pointer, &place);
    if (status)
        return status;
    if (!place.value || !place.container)
        return fail(patcher, JSON_PATCH_FAILED,
                    place.value ? "the whole document cannot be removed" : "the path does not exist");
    if (ret_value)
        *ret_value = json_incref(place.value);
    int failed = json_is_object(place.container) ? json_object_del(place.container, place.key)
                                                 : json_array_remove(place.container, place.index);
    return failed ? BP_NOMEM : 0;
}

static bool is_prefix(const char *prefix, const char *pointer)
{
    size_t len = strlen(prefix);
    return strncmp(prefix, pointer, len) == 0 && pointer[len] == '/';
}

static int move_or_copy(struct patcher *patcher, bool moves, const char *from, const char *path)
{
    struct place place;
    json_t *value = NULL;
    int status;
    if (moves && is_prefix(from, path))
        return fail(patcher, JSON_PATCH_FAILED, "a value cannot be moved into itself");
    if (moves && strcmp(from, path) == 0)
        return find(patcher, from, &place) || place.value
                   ? 0
                   : fail(patcher, JSON_PATCH_FAILED, "the place to take it from does not exist");
    if (moves) {
        status = take_away(patcher, from, &value);
        return status ? status : put(patcher, path, value, false);
    }
    status = find(patcher, from, &place);
    if (status)
        return status;
    if (!place.value)
        return fail(patcher, JSON_PATCH_FAILED, "the place to take it from does not exist");
    return put(patcher, path, json_deep_copy(place.value), false);
}

static int test(struct patcher *patcher, const char *path, const json_t *expected)
{
    struct place place;
    int status = find(patcher, path, &place);
    if (status)
        return status;
    if (!place.value)
        return fail(patcher, JSON_PATCH_TEST, "the path does not exist");
    /* Numbers are equal by value (RFC 6902 4.6). */
    bool equal = json_is_number(place.value) && json_is_number(expected)
                     ? json_number_value(place.value) == json_number_value(expected)
                     : json_equal(place.value, (json_t *)(uintptr_t)expected) == 1;
    return equal ? 0 : fail(patcher, JSON_PATCH_TEST, "the value is another one");
}

static int operate(struct patcher *patcher, const json_t *operation)
{
    const char *op = json_string_value(json_object_get(operation, "op"));
    const char *path = json_string_value(json_object_get(operation, "path"));
    const char *from = json_string_value(json_object_get(operation, "from"));
    json_t *value = json_object_get(operation, "value");
    if (!op || !path)
        return fail(patcher, JSON_PATCH_MALFORMED, "an operation is an object with \"op\" and \"path\"");
    bool needs_value = !strcmp(op, "add") || !strcmp(op, "replace") || !strcmp(op, "test");
    bool needs_from = !strcmp(op, "move") || !strcmp(op, "copy");
    if (needs_value && !value)
        return fail(patcher, JSON_PATCH_MALFORMED, "\"value\" is missing");
    if (needs_from && !from)
        return fail(patcher, JSON_PATCH_MALFORMED, "\"from\" is missing");
    if (needs_from)
        return move_or_copy(patcher, op[0] == 'm', from, path);
    if (strcmp(op, "remove") == 0)
        return take_away(patcher, path, NULL);
    if (strcmp(op, "test") == 0)
        return test(patcher, path, value);
    if (needs_value)
        return put(patcher, path, json_deep_copy(value), op[0] == 'r');
    return fail(patcher, JSON_PATCH_MALFORMED, "\"op\" is one of add, remove, replace, move, copy, test");
}

int json_patch_apply(json_t **document, const json_t *patch, size_t *ret_operation, const char **ret_why)
{
    struct patcher patcher = {.document = json_deep_copy(*document)};
    int status = patcher.document ? 0 : BP_NOMEM;
    *ret_operation = 0;
    *ret_why = "";
    if (!json_is_array(patch) || json_array_size(patch) > JSON_PATCH_OPERATIONS)
        status = fail(&patcher, JSON_PATCH_MALFORMED, "it must be an array of at most 100 operations");
    for (size_t i = 0; status == 0 && i < json_array_size(patch); i++) {
        *ret_operation = i;
        status = operate(&patcher, json_array_get(patch, i));
    }
    if (status) {
        *ret_why = patcher.why ? patcher.why : "";
        json_decref(patcher.document);
        return status;
    }
    json_decref(*document);
    *document = patcher.document;
    return 0;
}
