/* SPDX-License-Identifier: MIT */
/* Values from texts: options, environment, query and path parameters. */
#include "core/base/arena.h"
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>

static const struct bp_field *row(const char *name)
{
    return schema_find(scalars, bp_str_of(name));
}

struct text_case {
    const char *text;
    int64_t value; /* -1: refused */
    const char *code;
};

static void expect(const char *name, const struct text_case *cases, size_t count, const int64_t *value,
                   struct scalars *object)
{
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < count; i++) {
        struct bp_problems problems;
        problems_init(&problems, arena);
        int status = schema_set_text(row(name), bp_str_of(cases[i].text), arena, object, &problems);
        cr_expect_eq(status, cases[i].code ? SCHEMA_INVALID : 0, "\"%s\" gives %d", cases[i].text, status);
        if (cases[i].code)
            cr_expect(problems.len == 1 && bp_str_is(problems.items[0].code, cases[i].code), "\"%s\": %s",
                      cases[i].text, problems_text(&problems));
        else
            cr_expect_eq(*value, cases[i].value, "\"%s\" gives %lld", cases[i].text, (long long)*value);
    }
    arena_free(arena);
}
#define EXPECT(name, cases, value, object) expect(name, cases, sizeof(cases) / sizeof((cases)[0]), value, object)

Test(texts, spans)
{
    static const struct text_case cases[] = {
        {"250ms", 250 * BP_MILLISECOND, NULL},
        {"30s", 30 * BP_SECOND, NULL},
        {"15m", 15 * BP_MINUTE, NULL},
        {"1h", BP_HOUR, NULL},
        {"7d", 7 * BP_DAY, NULL},
        {"3600", BP_HOUR, NULL},
        {"0", 0, NULL},
        {"5us", 5000, NULL},
        {"106751d", 106751 * BP_DAY, NULL},
        {"106752d", 0, "out_of_range"},
        {"99999999999999999999s", 0, "out_of_range"},
        {"", 0, "invalid"},
        {"s", 0, "invalid"},
        {"-1s", 0, "invalid"},
        {"1.5s", 0, "invalid"},
        {"1 s", 0, "invalid"},
        {"1S", 0, "invalid"},
        {"1h30m", 0, "invalid"},
        {"1w", 0, "invalid"},
    };
    struct scalars s = {0};
    EXPECT("span", cases, &s.span, &s);
}

Test(texts, sizes)
{
    static const struct text_case cases[] = {
        {"512", 512, NULL},
        {"512B", 512, NULL},
        {"64KiB", 65536, NULL},
        {"10MB", 10000000, NULL},
        {"10MiB", 10485760, NULL},
        {"2GB", 2000000000, NULL},
        {"1GiB", 1073741824, NULL},
        {"3KB", 3000, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"9223372036854775808", 0, "out_of_range"},
        {"8388608TiB", 0, "out_of_range"},
        {"", 0, "invalid"},
        {"MB", 0, "invalid"},
        {"-1", 0, "invalid"},
        {"10mb", 0, "invalid"},
        {"10M", 0, "invalid"},
        {"0x10", 0, "invalid"},
    };
    struct scalars s = {0};
    EXPECT("size", cases, (const int64_t *)&s.size, &s);
}

Test(texts, integers)
{
    static const struct text_case cases[] = {
        {"0", 0, NULL},
        {"-12", -12, NULL},
        {"007", 7, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"-9223372036854775808", INT64_MIN, NULL},
        {"9223372036854775808", 0, "out_of_range"},
        {"-9223372036854775809", 0, "out_of_range"},
        {"", 0, "invalid"},
        {"-", 0, "invalid"},
        {"+1", 0, "invalid"},
        {" 1", 0, "invalid"},
        {"1.0", 0, "invalid"},
        {"1e2", 0, "invalid"},
        {"\xd9\xa1", 0, "invalid"},
    };
    struct scalars s = {0};
    EXPECT("offset", cases, &s.offset, &s);
}

Test(texts, other_types)
{
    static const struct {
        const char *name, *text, *message;
    } cases[] = {
        {"flag", "true", ""},
        {"flag", "0", ""},
        {"flag", "maybe", "Flag must be a boolean"},
        {"flag", "TRUE", "Flag must be a boolean"},
        {"count", "100", ""},
        {"count", "101", "Count must be an integer from 1 to 100"},
        {"ratio", "-1.5e3", ""},
        {"ratio", "1e999", "Ratio must be a number"},
        {"ratio", "nan", "Ratio must be a number"},
        {"ratio", "0x1p3", "Ratio must be a number"},
        {"ratio", " 1", "Ratio must be a number"},
        {"ratio", "1.2.3", "Ratio must be a number"},
        {"text", "\xff", "Text must be valid UTF-8"},
        {"text", "\xed\xa0\x80", "Text must be valid UTF-8"},
        {"text", "", ""},
        {"color", "green", ""},
        {"color", "GREEN", "Color must be one of red, green, blue"},
        {"color", "", "Color must be one of red, green, blue"},
        {"id", "01890a5d-ac96-774b-bcce-b302099a8057", ""},
        {"id", "01890a5dac96774bbcceb302099a8057", "Id must be a UUID"},
        {"due_at", "2026-01-31T12:00:00Z", ""},
        {"due_at", "yesterday", "Due at must be a date such as 2026-01-31T12:00:00Z"},
    };
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_problems problems;
        struct scalars s;
        problems_init(&problems, arena);
        int status = schema_set_text(row(cases[i].name), bp_str_of(cases[i].text), arena, &s, &problems);
        cr_expect_eq(status, cases[i].message[0] ? SCHEMA_INVALID : 0);
        cr_expect_str_eq(problems_messages(&problems), cases[i].message, "%s = \"%s\"", cases[i].name, cases[i].text);
    }
    arena_free(arena);
}

Test(texts, typed_settings)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct scalars s = {0};
    problems_init(&problems, arena);
    cr_expect_eq(schema_set_integer(row("count"), 5, &s, &problems), 0);
    cr_expect_eq(schema_set_integer(row("span"), 90, &s, &problems), 0);
    cr_expect_eq(schema_set_integer(row("size"), 4096, &s, &problems), 0);
    cr_expect_eq(schema_set_integer(row("ratio"), 2, &s, &problems), 0);
    cr_expect_eq(schema_set_bool(row("flag"), true, &s, &problems), 0);
    cr_expect_eq(schema_set_number(row("ratio"), 2.5, &s, &problems), 0);
    cr_expect(s.count == 5 && s.span == 90 * BP_SECOND && s.size == 4096 && s.flag && s.ratio == 2.5);
    cr_expect_eq(problems.len, 0);
    cr_expect_eq(schema_set_integer(row("count"), 0, &s, &problems), SCHEMA_INVALID);
    cr_expect_eq(schema_set_integer(row("span"), INT64_MAX, &s, &problems), SCHEMA_INVALID);
    cr_expect_eq(schema_set_integer(row("text"), 1, &s, &problems), SCHEMA_INVALID);
    cr_expect_eq(schema_set_integer(row("flag"), 1, &s, &problems), SCHEMA_INVALID);
    cr_expect_eq(schema_set_bool(row("count"), true, &s, &problems), SCHEMA_INVALID);
    cr_expect_eq(schema_set_number(row("count"), 1.0, &s, &problems), SCHEMA_INVALID);
    cr_expect_str_eq(problems_messages(&problems),
                     "Count must be an integer from 1 to 100|Span must be a duration such as 30s|Text must be a "
                     "text|Flag must be a boolean|"
                     "Count must be an integer from 1 to 100|Count must be an integer from 1 to 100");
    arena_free(arena);
}

struct query {
    uint32_t page, limit;
    bp_str q;
};
static const struct bp_field query_rows[] = {
    BP_U32(struct query, page, .def = "1", .min = 1, .flags = BP_LENIENT),
    BP_U32(struct query, limit, .def = "10", .min = 1, .max = 100, .flags = BP_LENIENT),
    BP_TEXT(struct query, q, .flags = BP_TRIM, .max = 5), BP_END};
struct params {
    bp_uuid id;
};
static const struct bp_field param_rows[] = {
    BP_UUID(struct params, id, .flags = BP_REQUIRED, .invalid = "Invalid todo ID format"), BP_END};

/* name, text, name, text … NULL */
static bool find(void *argument, bp_str name, bp_str *ret_text)
{
    const char *const *pairs = argument;
    for (; pairs[0]; pairs += 2) {
        if (!bp_str_is(name, pairs[0]))
            continue;
        *ret_text = bp_str_of(pairs[1]);
        return true;
    }
    return false;
}

Test(texts, query_parameters)
{
    static const struct {
        const char *pairs[7];
        uint32_t page, limit;
    } cases[] = {
        {{NULL}, 1, 10},
        {{"page", "3", "limit", "20", NULL}, 3, 20},
        {{"page", "0", "limit", "0", NULL}, 1, 10},
        {{"page", "-1", "limit", "-5", NULL}, 1, 10},
        {{"page", "abc", "limit", "", NULL}, 1, 10},
        {{"page", "1.5", "limit", "1e1", NULL}, 1, 10},
        {{"page", "2", "limit", "100", NULL}, 2, 100},
        {{"page", "2", "limit", "101", NULL}, 2, 100},
        {{"page", "4294967295", "limit", "99999999999999999999999", NULL}, UINT32_MAX, 100},
        {{"page", "4294967296", NULL}, UINT32_MAX, 10},
    };
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_problems problems;
        struct query query;
        memset(&query, 0xff, sizeof(query));
        problems_init(&problems, arena);
        cr_expect_eq(schema_decode_texts(query_rows, find, (void *)(uintptr_t)cases[i].pairs, arena, &query, &problems),
                     0);
        cr_expect(query.page == cases[i].page && query.limit == cases[i].limit, "%zu: %u %u", i, query.page,
                  query.limit);
        cr_expect_eq(query.q.len, 0);
    }
    arena_free(arena);
}

Test(texts, parameters_refused)
{
    static const struct {
        const struct bp_field *rows;
        const char *pairs[3];
        const char *text;
    } cases[] = {
        {param_rows, {NULL}, "id /id required: Id is required\n"},
        {param_rows, {"id", "12", NULL}, "id /id invalid: Invalid todo ID format\n"},
        {param_rows, {"id", "", NULL}, "id /id invalid: Invalid todo ID format\n"},
        {query_rows, {"q", "\xc3", NULL}, "q /q invalid: Q must be valid UTF-8\n"},
        {query_rows, {"q", " toolong ", NULL}, "q /q too_long: Q must be less than 5 characters\n"},
    };
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_problems problems;
        struct query object; /* the larger of the two */
        problems_init(&problems, arena);
        cr_expect_eq(
            schema_decode_texts(cases[i].rows, find, (void *)(uintptr_t)cases[i].pairs, arena, &object, &problems),
            SCHEMA_INVALID);
        cr_expect_str_eq(problems_text(&problems), cases[i].text);
    }
    arena_free(arena);
}

struct options {
    uint32_t quota;
    bp_span window;
    bp_str key;
    struct bp_array none;
};
struct stage {
    uint32_t quota;
};
static const struct bp_field option_rows[] = {
    BP_SPAN(struct options, window, .def = "60s", .min = BP_SECOND, .max = BP_HOUR),
    BP_TEXT(struct options, key, .def = "ip"), BP_U32(struct stage, quota, .def = "30", .min = 1, .flags = BP_STAGE),
    BP_END};

Test(texts, defaults)
{
    struct bp_arena *arena = arena_new();
    struct options options = {0};
    struct stage stage = {0};
    cr_assert_eq(schema_set_defaults(option_rows, false, arena, &options), 0);
    cr_expect(options.quota == 0 && options.window == BP_MINUTE && bp_str_is(options.key, "ip"));
    cr_assert_eq(schema_set_defaults(option_rows, true, arena, &stage), 0);
    cr_expect_eq(stage.quota, 30);
    arena_free(arena);
}
