/* SPDX-License-Identifier: MIT */
/* Values as in a configuration file, and types in words. */
#include "core/base/arena.h"
#include "core/schema/print.h"
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>

static void expect(struct buffer *out, const char *text)
{
    cr_expect(bp_str_is(buffer_str(out), text), "%.*s instead of %s", (int)out->len, out->ptr, text);
    out->len = 0;
}

struct inner {
    bp_str name;
    uint32_t port;
};
struct outer {
    struct bp_array list, words;
    bp_str secret;
};
static const struct bp_field inner_rows[] = {BP_TEXT(struct inner, name), BP_U32(struct inner, port), BP_END};
static const struct bp_field word_rows[] = {{.name = "", .type = BP_TYPE_TEXT}, BP_END};
static const struct bp_field outer_rows[] = {BP_ARRAY(struct outer, list, struct inner, inner_rows),
                                             BP_ARRAY(struct outer, words, bp_str, word_rows),
                                             BP_TEXT(struct outer, secret, .flags = BP_SECRET), BP_END};

Test(print, values)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"flag", "true"},
        {"count", "3000000000L"},
        {"offset", "-5"},
        {"ratio", "2.0"},
        {"text", "\"a \\\"b\\\" \\\\ \\n\\x01\""},
        {"color", "\"blue\""},
        {"span", "\"90s\""},
        {"size", "10485760"},
        {"id", "\"00000000-0000-0000-0000-000000000000\""},
        {"due_at", "\"1970-01-01T00:00:00.000Z\""},
    };
    struct scalars s = {.flag = true,
                        .count = 3000000000,
                        .offset = -5,
                        .ratio = 2,
                        .text = BP_STR("a \"b\" \\ \n\x01"),
                        .color = 2,
                        .span = 90 * BP_SECOND,
                        .size = 10485760};
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        schema_print_value(schema_find(scalars, bp_str_of(cases[i].name)), &s, &out);
        expect(&out, cases[i].text);
    }
    buffer_deinit(&out);
}

Test(print, lists_and_secrets)
{
    struct inner items[] = {{BP_STR("a"), 1}, {BP_STR("b"), 2}};
    bp_str words[] = {BP_STR("x"), BP_STR("y")};
    struct outer outer = {.list = {items, 2}, .words = {words, 2}, .secret = BP_STR("hunter2")};
    struct buffer out = {0};
    schema_print_value(&outer_rows[0], &outer, &out);
    expect(&out, "( { name = \"a\"; port = 1; }, { name = \"b\"; port = 2; } )");
    schema_print_value(&outer_rows[1], &outer, &out);
    expect(&out, "( \"x\", \"y\" )");
    schema_print_value(&outer_rows[2], &outer, &out);
    expect(&out, "\"[secret]\"");
    outer.words.len = 0;
    schema_print_value(&outer_rows[1], &outer, &out);
    expect(&out, "( )");
    buffer_deinit(&out);
}

/* What is printed is read back as the same value. */
Test(print, spans_and_sizes_round_trip)
{
    static const int64_t spans[] = {
        0,          1,        1500, 250 * BP_MILLISECOND, BP_SECOND, 90 * BP_SECOND, 15 * BP_MINUTE, 36 * BP_HOUR,
        7 * BP_DAY, INT64_MAX};
    static const int64_t sizes[] = {0, 1, 512, 1000, 1024, 65536, 10000000, 10485760, 64000, 128000, 1536, INT64_MAX};
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct scalars s;
    problems_init(&problems, arena);
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        struct buffer out = {0};
        print_span(spans[i], &out);
        cr_expect_eq(schema_set_text(schema_find(scalars, BP_STR("span")), buffer_str(&out), arena, &s, &problems), 0);
        cr_expect_eq(s.span, spans[i]);
        buffer_deinit(&out);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buffer out = {0};
        print_size((uint64_t)sizes[i], &out);
        cr_expect_eq(schema_set_text(schema_find(scalars, BP_STR("size")), buffer_str(&out), arena, &s, &problems), 0);
        cr_expect_eq(s.size, (uint64_t)sizes[i]);
        buffer_deinit(&out);
    }
    arena_free(arena);
}

static const char *const modes[] = {"a", "b", NULL};
static const struct bp_field described[] = {
    {.name = "a", .type = BP_TYPE_BOOL},
    {.name = "b", .type = BP_TYPE_U32, .min = 1, .max = 100},
    {.name = "c", .type = BP_TYPE_U32, .min = 1},
    {.name = "d", .type = BP_TYPE_I64, .min = -5},
    {.name = "e", .type = BP_TYPE_I64, .min = 3},
    {.name = "f", .type = BP_TYPE_I64, .min = INT64_MIN, .max = 9},
    {.name = "g", .type = BP_TYPE_F64, .min = 0, .max = 1},
    {.name = "h", .type = BP_TYPE_TEXT, .min = 8, .max = 128},
    {.name = "i", .type = BP_TYPE_TEXT, .max = 20},
    {.name = "j", .type = BP_TYPE_TEXT, .min = 32},
    {.name = "k", .type = BP_TYPE_CHOICE, .choices = modes},
    {.name = "l", .type = BP_TYPE_SPAN, .min = BP_SECOND, .max = BP_HOUR},
    {.name = "m", .type = BP_TYPE_SPAN},
    {.name = "n", .type = BP_TYPE_SIZE, .max = 10000000},
    {.name = "o", .type = BP_TYPE_SIZE, .min = 65536},
    {.name = "p", .type = BP_TYPE_UUID},
    {.name = "q", .type = BP_TYPE_DATE},
    {.name = "r", .type = BP_TYPE_OBJECT, .sub = inner_rows},
    {.name = "s", .type = BP_TYPE_ARRAY, .sub = inner_rows, .item_size = sizeof(struct inner), .max = 3},
    {.name = "t", .type = BP_TYPE_TEXT},
    {.name = "u", .type = BP_TYPE_U32},
    BP_END};

Test(print, types)
{
    static const char *const texts[] = {"a boolean",
                                        "an integer from 1 to 100",
                                        "an integer from 1 to 4294967295",
                                        "an integer from -5 to 0",
                                        "an integer of at least 3",
                                        "an integer of at most 9",
                                        "a number from 0 to 1",
                                        "a text of 8 to 128 characters",
                                        "a text of at most 20 characters",
                                        "a text of at least 32 characters",
                                        "one of a, b",
                                        "a duration from 1s to 1h",
                                        "a duration such as 30s",
                                        "a size of at most 10MB",
                                        "a size of at least 64KiB",
                                        "a UUID",
                                        "a date such as 2026-01-31T12:00:00Z",
                                        "an object",
                                        "an array of at most 3 items",
                                        "a text",
                                        "an integer from 0 to 4294967295"};
    struct buffer out = {0};
    cr_assert_null(schema_check(described));
    for (size_t i = 0; described[i].name; i++) {
        schema_describe_type(&described[i], &out);
        expect(&out, texts[i]);
    }
    buffer_deinit(&out);
}
