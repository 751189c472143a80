/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a JSON body. What decodes is encoded, decoded and encoded again: the same text must come out. Every problem has a place and a message.
 * Any bytes as a text must become a JSON string that reads back as the same text, or with U+FFFD where it was no UTF-8.
 */
#include "core/base/arena.h"
#include "core/schema/schema.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct node {
    uint64_t set, null;
    bool flag;
    uint32_t count;
    int64_t offset;
    double ratio;
    bp_str text;
    uint32_t color;
    bp_span span;
    uint64_t size;
    bp_uuid id;
    bp_date date;
    struct bp_array nodes, words;
};
static const char *const colors[] = {"red", "green", NULL};
static const struct bp_field words[] = {{.name = "", .type = BP_TYPE_TEXT, .flags = BP_TRIM | BP_LOWER, .max = 20},
                                        BP_END};
static const struct bp_field nodes[] = {BP_PRESENCE(struct node, set, null),
                                        BP_BOOL(struct node, flag, .flags = BP_NULLABLE),
                                        BP_U32(struct node, count, .flags = BP_NULLABLE, .def = "1"),
                                        BP_I64(struct node, offset, .flags = BP_NULLABLE),
                                        BP_F64(struct node, ratio, .flags = BP_NULLABLE),
                                        BP_TEXT(struct node, text, .flags = BP_NULLABLE),
                                        BP_CHOICE(struct node, color, .flags = BP_NULLABLE, .choices = colors),
                                        BP_SPAN(struct node, span, .flags = BP_NULLABLE),
                                        BP_SIZE(struct node, size, .flags = BP_NULLABLE),
                                        BP_UUID(struct node, id, .flags = BP_NULLABLE),
                                        BP_DATE(struct node, date, .flags = BP_NULLABLE),
                                        BP_ARRAY(struct node, nodes, struct node, nodes, .flags = BP_NULLABLE),
                                        BP_ARRAY(struct node, words, bp_str, words, .flags = BP_NULLABLE, .max = 10),
                                        BP_END};

static void check(bool truth)
{
    if (!truth)
        abort();
}

static void round_trip(bp_str json, struct bp_arena *arena)
{
    struct bp_problems problems;
    struct node node;
    struct buffer first = {0}, second = {0};
    problems_init(&problems, arena);
    int status = schema_decode_json(nodes, json, arena, &node, &problems);
    check(status >= 0 && (status == 0) == (problems.len == 0));
    for (size_t i = 0; i < problems.len; i++)
        check(problems.items[i].message.len > 0 && problems.items[i].code.len > 0);
    if (status != 0)
        return;
    schema_encode_json(nodes, &node, &first);
    check(schema_decode_json(nodes, buffer_str(&first), arena, &node, &problems) == 0);
    schema_encode_json(nodes, &node, &second);
    check(!first.failed && !second.failed && bp_str_eq(buffer_str(&first), buffer_str(&second)));
    buffer_deinit(&first);
    buffer_deinit(&second);
}

/* jansson takes nothing that is refused here, but for what only we bound or refuse, and the other way round. */
static void compare(bp_str json, struct bp_arena *arena)
{
    json_error_t error;
    struct bp_problems problems;
    struct node node;
    json_t *value = json_loadb(json.len ? json.ptr : "", json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    problems_init(&problems, arena);
    int status = schema_decode_json(nodes, json, arena, &node, &problems);
    if (!value && json_error_code(&error) != json_error_numeric_overflow)
        check(status == SCHEMA_SYNTAX);
    if (value && status == SCHEMA_SYNTAX)
        check(strstr(problems.items[0].message.ptr, "nested deeper") ||
              strstr(problems.items[0].message.ptr, "raw control"));
    json_decref(value);
}

static void quote(bp_str text)
{
    struct buffer out = {0};
    json_error_t error;
    schema_encode_text(text, &out);
    json_t *value = json_loadb(out.ptr, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    check(value && json_is_string(value));
    bp_str back = bp_str_n(json_string_value(value), json_string_length(value));
    if (!memmem(back.ptr, back.len, "\xef\xbf\xbd", 3))
        check(bp_str_eq(back, text));
    json_decref(value);
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bp_str input = bp_str_n((const char *)data, size);
    struct bp_arena *arena = arena_new();
    check(arena != NULL);
    round_trip(input, arena);
    compare(input, arena);
    quote(input);
    arena_free(arena);
    return 0;
}
