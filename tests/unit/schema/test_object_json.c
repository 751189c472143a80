/* SPDX-License-Identifier: MIT */
/* Objects as plugins keep them: JSON there and back. */
#include <criterion/criterion.h>

#include "backplane/status.h"
#include "core/base/arena.h"
#include "tests/unit/schema/sample.h"

struct message {
    bp_str to, text;
    int64_t count;
};
static const struct bp_field message_rows[] = {BP_TEXT(struct message, to, .flags = BP_REQUIRED, .min = 1),
                                               BP_TEXT(struct message, text, .flags = BP_NULLABLE),
                                               BP_I64(struct message, count, .def = "3", .max = 9), BP_END};

Test(object_json, there_and_back)
{
    struct bp_arena *arena = arena_new();
    const struct message message = {.to = BP_STR("a\"b"), .count = 7};
    struct message back;
    bp_str json = bp_object_encode(message_rows, &message, arena);
    cr_assert(json.ptr);
    cr_expect_str_eq(json.ptr, "{\"to\":\"a\\\"b\",\"text\":null,\"count\":7}");
    cr_assert_eq(bp_object_decode(message_rows, json, arena, &back, NULL), 0);
    cr_expect(bp_str_is(back.to, "a\"b"));
    cr_expect_null(back.text.ptr);
    cr_expect_eq(back.count, 7);
    /* From an earlier version, and from a later one. */
    cr_assert_eq(bp_object_decode(message_rows, BP_STR("{\"to\":\"x\",\"other\":[1]}"), arena, &back, NULL), 0);
    cr_expect_eq(back.count, 3);
    arena_free(arena);
}

Test(object_json, what_is_wrong)
{
    static const struct {
        const char *json, *problem;
    } cases[] = {{"{\"count\":1}", "to: To is required"},
                 {"{\"to\":\"x\",\"count\":10}", "count: Count must be an integer from 0 to 9"},
                 {"{\"to\":", "Invalid JSON at line 1, column 6: unexpected token"},
                 {"[]", "Body must be a JSON object"}};
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message message;
        bp_str problem = {NULL, 0};
        cr_assert_eq(bp_object_decode(message_rows, bp_str_of(cases[i].json), arena, &message, &problem), BP_ERROR);
        cr_expect(bp_str_is(problem, cases[i].problem), "%s: %" BP_STR_FMT, cases[i].json, BP_STR_ARG(problem));
        cr_expect_eq(bp_object_decode(message_rows, bp_str_of(cases[i].json), arena, &message, NULL), BP_ERROR);
    }
    arena_free(arena);
}
