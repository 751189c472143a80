/* SPDX-License-Identifier: MIT */
/* Bodies and the messages that clients of the API know. */
#include "core/base/arena.h"
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct expectation {
    const char *json;
    const char *messages; /* joined by "|"; "" when it is legal */
};

static void expect(const struct bp_field *rows, const struct expectation *cases, size_t count, void *object)
{
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < count; i++) {
        struct bp_problems problems;
        problems_init(&problems, arena);
        int status = schema_decode_json(rows, bp_str_of(cases[i].json), arena, object, &problems);
        cr_expect_str_eq(problems_messages(&problems), cases[i].messages, "%s gives %s", cases[i].json,
                         problems_messages(&problems));
        cr_expect_eq(status, cases[i].messages[0] ? SCHEMA_INVALID : 0, "%s gives status %d", cases[i].json, status);
    }
    arena_free(arena);
}
#define EXPECT(rows, cases, object) expect(rows, cases, sizeof(cases) / sizeof((cases)[0]), object)

Test(decode, todo_messages)
{
    static const struct expectation cases[] = {
        {"{\"title\":\"x\"}", ""},
        {"{\"title\":\"x\",\"completed\":true,\"other\":[1,{\"a\":null}]}", ""},
        {"{}", "Title is required"},
        {"{\"title\":null}", "Title is required"},
        {"{\"title\":7}", "Title is required"},
        {"{\"title\":[\"x\"]}", "Title is required"},
        {"{\"title\":\"\"}", "Title cannot be empty"},
        {"{\"title\":\" \\t\\n\\r \"}", "Title cannot be empty"},
        {"{\"title\":\"\\u00a0\\u3000\\ufeff\\u2003\"}", "Title cannot be empty"},
        {"{\"title\":\"a\\u0000b\"}", "Title must not contain U+0000"},
        {"{\"title\":\"x\",\"completed\":\"yes\"}", "Completed must be a boolean"},
        {"{\"title\":\"x\",\"completed\":1}", "Completed must be a boolean"},
        {"{\"title\":\"x\",\"completed\":null}", "Completed must be a boolean"},
        {"{\"completed\":{},\"title\":\"\"}", "Title cannot be empty|Completed must be a boolean"},
        {"{\"title\":\"\",\"title\":\"last wins\"}", ""},
        {"{\"Title\":\"x\"}", "Title is required"},
        {"[]", "Body must be a JSON object"},
        {"null", "Body must be a JSON object"},
        {"\"title\"", "Body must be a JSON object"},
        {"17", "Body must be a JSON object"},
    };
    struct todo_body body;
    EXPECT(todo_body, cases, &body);
}

Test(decode, account_messages)
{
    static const struct expectation cases[] = {
        {"{\"email\":\"a@b.cd\",\"password\":\"Passw0rds\"}", ""},
        {"{}", "Email is required|Password is required"},
        {"{\"email\":1,\"password\":null}", "Email is required|Password is required"},
        {"{\"email\":\"\",\"password\":\"\"}",
         "Invalid email format|Password must be at least 8 characters long|"
         "Password must contain at least one uppercase letter|Password must contain at least one number"},
        {"{\"password\":\"secret\",\"email\":\"no\"}",
         "Invalid email format|Password must be at least 8 characters long|"
         "Password must contain at least one uppercase letter|Password must contain at least one number"},
        {"{\"email\":\"a@b.cd\",\"password\":\"longenough1\"}", "Password must contain at least one uppercase letter"},
    };
    struct account_body body;
    EXPECT(account_body, cases, &body);
}

static int decode_title(struct bp_arena *arena, const char *unit, size_t count, struct bp_problems *problems)
{
    struct todo_body body;
    struct buffer json = {0};
    buffer_add(&json, BP_STR("{\"title\":\""));
    for (size_t i = 0; i < count; i++)
        buffer_add(&json, bp_str_of(unit));
    buffer_add(&json, BP_STR("\"}"));
    problems_init(problems, arena);
    int status = schema_decode_json(todo_body, buffer_str(&json), arena, &body, problems);
    buffer_deinit(&json);
    return status;
}

Test(decode, lengths_are_code_points)
{
    static const char *const units[] = {"a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "\\ud83d\\ude00"};
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        struct bp_problems problems;
        cr_expect_eq(decode_title(arena, units[i], 500, &problems), 0, "500 times %s", units[i]);
        cr_expect_eq(decode_title(arena, units[i], 501, &problems), SCHEMA_INVALID, "501 times %s", units[i]);
        cr_expect_str_eq(problems_text(&problems), "title /title too_long: Title must be less than 500 characters\n");
    }
    arena_free(arena);
}

Test(decode, values_and_defaults)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct todo_body body;
    struct account_body account;
    memset(&body, 0xff, sizeof(body));
    problems_init(&problems, arena);
    cr_assert_eq(
        schema_decode_json(todo_body, BP_STR("{\"title\":\" \\u00a0Buy \\\"milk\\\"\\n\"}"), arena, &body, &problems),
        0);
    cr_expect(bp_str_is(body.title, "Buy \"milk\""));
    cr_expect_eq(body.title.ptr[body.title.len], '\0');
    cr_expect_not(body.completed);
    cr_expect_eq(body.set, 1);
    cr_expect_eq(body.null, 0);
    cr_expect(bp_is_set(todo_body, &body, "title"));
    cr_expect_not(bp_is_set(todo_body, &body, "completed"));
    cr_expect_not(bp_is_set(todo_body, &body, "no_such"));
    cr_expect_not(bp_is_null(todo_body, &body, "title"));
    cr_assert_eq(schema_decode_json(account_body, BP_STR("{\"email\":\" A@B.Cd \",\"password\":\" Passw0rd \"}"), arena,
                                    &account, &problems),
                 0);
    cr_expect(bp_str_is(account.email, "a@b.cd"));
    cr_expect(bp_str_is(account.password, " Passw0rd "));
    cr_expect_not(bp_is_set(account_body, &account, "email")); /* has no BP_PRESENCE */
    arena_free(arena);
}

Test(decode, null_and_unset_differ)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct scalars s = {.count = 9, .text = BP_STR("old")};
    problems_init(&problems, arena);
    cr_assert_eq(
        schema_decode_json(scalars, BP_STR("{\"count\":null,\"flag\":true,\"dueAt\":null}"), arena, &s, &problems), 0);
    cr_expect(bp_is_set(scalars, &s, "count") && bp_is_null(scalars, &s, "count"));
    cr_expect(bp_is_set(scalars, &s, "due_at") && bp_is_null(scalars, &s, "due_at"));
    cr_expect(bp_is_set(scalars, &s, "flag") && !bp_is_null(scalars, &s, "flag"));
    cr_expect(!bp_is_set(scalars, &s, "text") && !bp_is_null(scalars, &s, "text"));
    cr_expect_eq(s.count, 0);
    cr_expect_eq(s.text.len, 0);
    arena_free(arena);
}

Test(decode, scalar_messages)
{
    static const struct expectation cases[] = {
        {"{\"flag\":false,\"count\":100,\"offset\":-5,\"ratio\":0.5,\"text\":\"\",\"color\":\"blue\",\"span\":\"15m\","
         "\"size\":\"64KiB\","
         "\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"dueAt\":\"2026-01-31T12:00:00+01:00\"}",
         ""},
        {"{\"count\":1.0}", ""},
        {"{\"count\":1e2}", ""},
        {"{\"count\":0}", "Count must be an integer from 1 to 100"},
        {"{\"count\":101}", "Count must be an integer from 1 to 100"},
        {"{\"count\":-1}", "Count must be an integer from 1 to 100"},
        {"{\"count\":1.5}", "Count must be an integer from 1 to 100"},
        {"{\"count\":\"5\"}", "Count must be an integer from 1 to 100"},
        {"{\"count\":true}", "Count must be an integer from 1 to 100"},
        {"{\"count\":99999999999999999999}", "Count must be an integer from 1 to 100"},
        {"{\"count\":1e400}", "Count must be an integer from 1 to 100"},
        {"{\"offset\":9223372036854775807}", ""},
        {"{\"offset\":-9223372036854775808}", ""},
        {"{\"offset\":9223372036854775808}", "Offset must be an integer"},
        {"{\"offset\":-9223372036854775809}", "Offset must be an integer"},
        {"{\"offset\":\"1\"}", "Offset must be an integer"},
        {"{\"ratio\":12345678901234567890123}", ""},
        {"{\"ratio\":1e308}", ""},
        {"{\"ratio\":1e309}", "Ratio must be a number"},
        {"{\"ratio\":-1e309}", "Ratio must be a number"},
        {"{\"ratio\":\"0.5\"}", "Ratio must be a number"},
        {"{\"text\":5}", "Text is required"},
        {"{\"color\":\"Red\"}", "Color must be one of red, green, blue"},
        {"{\"color\":0}", "Color must be one of red, green, blue"},
        {"{\"span\":30}", ""},
        {"{\"span\":\"30x\"}", "Span must be a duration such as 30s"},
        {"{\"span\":-1}", "Span must be a duration such as 30s"},
        {"{\"span\":9223372037}", "Span must be a duration such as 30s"},
        {"{\"size\":10}", ""},
        {"{\"size\":-1}", "Size must be a size such as 10MB"},
        {"{\"size\":\"10 MB\"}", "Size must be a size such as 10MB"},
        {"{\"id\":\"01890a5d\"}", "Id must be a UUID"},
        {"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a805g\"}", "Id must be a UUID"},
        {"{\"dueAt\":\"2026-02-30T00:00:00Z\"}", "Due at must be a date such as 2026-01-31T12:00:00Z"},
        {"{\"dueAt\":0}", "Due at must be a date such as 2026-01-31T12:00:00Z"},
        {"{\"flag\":0,\"count\":0,\"offset\":{}}",
         "Flag must be a boolean|Count must be an integer from 1 to 100|Offset must be an integer"},
    };
    struct scalars s;
    EXPECT(scalars, cases, &s);
}

Test(decode, scalar_values)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct scalars s;
    problems_init(&problems, arena);
    bp_str json = BP_STR("{\"count\":1e2,\"offset\":-3.0,\"ratio\":12345678901234567890,\"color\":\"blue\",\"span\":"
                         "\"250ms\",\"size\":7,"
                         "\"id\":\"01890A5D-AC96-774B-BCCE-B302099A8057\",\"dueAt\":\"1970-01-01T01:00:00.5+01:00\"}");
    cr_assert_eq(schema_decode_json(scalars, json, arena, &s, &problems), 0);
    cr_expect_eq(s.count, 100);
    cr_expect_eq(s.offset, -3);
    cr_expect_eq(s.ratio, 12345678901234567890.0);
    cr_expect_eq(s.color, 2);
    cr_expect_eq(s.span, 250 * BP_MILLISECOND);
    cr_expect_eq(s.size, 7);
    cr_expect_eq(s.id.bytes[0], 0x01);
    cr_expect_eq(s.id.bytes[15], 0x57);
    cr_expect_eq(s.due_at, 500);
    arena_free(arena);
}
