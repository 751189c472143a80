/* SPDX-License-Identifier: MIT */
#include "core/base/arena.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct inner {
    bp_str word;
    uint32_t count;
};
struct value {
    bool flag;
    uint32_t small;
    int64_t large;
    double ratio;
    bp_str text;
    uint32_t choice;
    bp_span span;
    uint64_t size;
    struct inner inner;
    struct bp_array inners, words;
};

static const char *const choices[] = {"first", "second", NULL};
static const struct bp_field inner_rows[] = {BP_TEXT(struct inner, word, .flags = BP_REQUIRED),
                                             BP_U32(struct inner, count, .def = "3", .max = 9), BP_END};
static const struct bp_field word_rows[] = {{.name = "", .type = BP_TYPE_TEXT, .min = 1, .max = 5}, BP_END};
static const struct bp_field rows[] = {BP_BOOL(struct value, flag),
                                       BP_U32(struct value, small, .min = 1, .max = 10),
                                       BP_I64(struct value, large),
                                       BP_F64(struct value, ratio),
                                       BP_TEXT(struct value, text, .def = "fallback", .min = 2, .max = 8),
                                       BP_CHOICE(struct value, choice, .choices = choices),
                                       BP_SPAN(struct value, span),
                                       BP_SIZE(struct value, size),
                                       BP_OBJECT(struct value, inner, inner_rows),
                                       BP_ARRAY(struct value, inners, struct inner, inner_rows, .max = 2),
                                       BP_ARRAY(struct value, words, bp_str, word_rows, .min = 1, .max = 3),
                                       BP_END};

/* The settings of a plugins: entry, without use, through the rows. */
static void decode(const char *settings, struct value *value, struct report *report, struct bp_arena *arena)
{
    char text[512];
    struct loaded loaded;
    snprintf(text, sizeof(text), "plugins: ( { use = \"a\"; %s } );", settings);
    load_text(&loaded, text, NULL, true);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    struct config_setting group = *loaded.config->plugins[0].setting;
    group.items++;
    group.item_count--;
    unsigned errors = report->errors;
    bool fine = config_decode_group(&group, rows, "a", arena, value, report);
    cr_expect_eq(fine, report->errors == errors, "%s", settings);
    unload(&loaded);
}

Test(config_decode, values)
{
    struct sandbox sandbox;
    struct report report = {0};
    struct value value = {0};
    sandbox_enter(&sandbox);
    struct bp_arena *arena = arena_new();
    decode("flag = true; small = 10; large = -5000000000L; ratio = 2; text = \"héé\"; choice = \"second\"; span = 2;"
           "size = \"2KiB\"; inner = { word = \"x\"; }; inners = ( { word = \"y\"; count = 0; }, { word = \"z\"; } );"
           "words = [ \"a\", \"b\" ];",
           &value, &report, arena);
    cr_assert_eq(report.errors, 0, "%" BP_STR_FMT, BP_STR_ARG(buffer_str(&report.text)));
    cr_expect(value.flag);
    cr_expect_eq(value.small, 10);
    cr_expect_eq(value.large, INT64_C(-5000000000));
    cr_expect_eq(value.ratio, 2.0);
    cr_expect(bp_str_is(value.text, "héé"));
    cr_expect_eq(value.choice, 1);
    cr_expect_eq(value.span, 2 * BP_SECOND);
    cr_expect_eq(value.size, 2048);
    cr_expect(bp_str_is(value.inner.word, "x"));
    cr_expect_eq(value.inner.count, 3);
    cr_assert_eq(value.inners.len, 2);
    cr_expect_eq(((struct inner *)value.inners.ptr)[0].count, 0);
    cr_expect(bp_str_is(((struct inner *)value.inners.ptr)[1].word, "z"));
    cr_assert_eq(value.words.len, 2);
    cr_expect(bp_str_is(((bp_str *)value.words.ptr)[1], "b"));

    value = (struct value){0};
    decode("flag = \"true\"; small = \"7\"; large = \"-1\"; ratio = \"0.5\"; span = \"250ms\"; size = 12;", &value,
           &report, arena);
    cr_assert_eq(report.errors, 0, "%" BP_STR_FMT, BP_STR_ARG(buffer_str(&report.text)));
    cr_expect(value.flag);
    cr_expect_eq(value.small, 7);
    cr_expect_eq(value.large, -1);
    cr_expect_eq(value.ratio, 0.5);
    cr_expect_eq(value.span, 250 * BP_MILLISECOND);
    cr_expect_eq(value.size, 12);
    cr_expect(bp_str_is(value.text, "fallback"));
    arena_free(arena);
    report_deinit(&report);
    sandbox_leave(&sandbox);
}

static const struct {
    const char *settings, *problem;
} problems[] = {
    {"flag = 1;", "a.flag: must be a boolean, not an integer"},
    {"flag = \"maybe\";", "a.flag: must be a boolean"},
    {"small = 0;", "a.small: must be an integer from 1 to 10"},
    {"small = 11;", "a.small: must be an integer from 1 to 10"},
    {"small = 1.0;", "a.small: must be an integer from 1 to 10, not a number"},
    {"ratio = false;", "a.ratio: must be a number, not a boolean"},
    {"text = 5;", "a.text: must be a text of 2 to 8 characters, not an integer"},
    {"text = \"a\";", "a.text: must be at least 2 characters long"},
    {"choice = \"third\";", "a.choice: must be one of first, second"},
    {"span = -1;", "a.span: must be a duration such as 30s"},
    {"size = \"1XB\";", "a.size: must be a size such as 10MB"},
    {"inner = 5;", "a.inner: must be a group { … }, not an integer"},
    {"inner = { wrod = \"x\"; };",
     "a.inner.wrod: unknown setting; did you mean \"word\"?\na.cfg:1: a.inner: \"word\" is missing"},
    {"inners = { };", "a.inners: must be a list ( … ), not a group"},
    {"inners = ( { word = \"x\"; }, { word = \"y\"; count = 10; } );",
     "a.inners[1].count: must be an integer from 0 to 9"},
    {"inners = ( { }, { }, { } );", "a.inners: has 3 items; it may have at most 2"},
    {"words = ( );", "a.words: has 0 items; it needs at least 1"},
    {"words = ( \"ok\", 5 );", "a.words[1]: must be a text of 1 to 5 characters, not an integer"},
};

Test(config_decode, problems)
{
    struct sandbox sandbox;
    sandbox_enter(&sandbox);
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(problems) / sizeof(*problems); i++) {
        struct report report = {0};
        struct value value = {0};
        char expected[256];
        decode(problems[i].settings, &value, &report, arena);
        snprintf(expected, sizeof(expected), "a.cfg:1: %s\n", problems[i].problem);
        cr_expect(bp_str_is(buffer_str(&report.text), expected), "%s\n%" BP_STR_FMT "%s", problems[i].settings,
                  BP_STR_ARG(buffer_str(&report.text)), expected);
        report_deinit(&report);
    }
    arena_free(arena);
    sandbox_leave(&sandbox);
}

Test(config_decode, placeholders)
{
    struct sandbox sandbox;
    struct report report = {0};
    struct value value = {0};
    sandbox_enter(&sandbox);
    struct bp_arena *arena = arena_new();
    decode("text = \"${CONFIG_TEST_UNSET}\"; small = \"${CONFIG_TEST_UNSET}\"; inner = { word = "
           "\"${CONFIG_TEST_UNSET}\"; };",
           &value, &report, arena);
    cr_expect_eq(report.errors, 0, "%" BP_STR_FMT, BP_STR_ARG(buffer_str(&report.text)));
    cr_expect(bp_str_is(value.text, "fallback"));
    cr_expect_eq(value.small, 0);
    arena_free(arena);
    report_deinit(&report);
    sandbox_leave(&sandbox);
}
