/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/base/arena.h"
#include "todo.h"

#define DUE "\"dueAt\":\"1970-01-01T00:00:01Z\""
#define REMIND "\"remindAt\":\"1970-01-01T00:00:02Z\""

Test(todo, reminded_of_at)
{
    static const struct {
        const char *json;
        bool due;
        bp_date at; /* 0: not at all */
    } cases[] = {
        {"{}", true, 0},
        {"{\"dueAt\":null,\"remindAt\":null}", true, 0},
        {"{" DUE "}", true, 1000},
        {"{" DUE "}", false, 0},
        {"{" REMIND "}", false, 2000},
        {"{" DUE "," REMIND "}", true, 2000},
        {"{" DUE "," REMIND "}", false, 2000},
        {"{" DUE "," REMIND ",\"completed\":true}", true, 0},
        {"{" DUE ",\"remindAt\":null,\"completed\":false}", true, 1000},
    };
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct todo todo = {0};
        bp_date at = 0;
        cr_assert_eq(bp_object_decode(todo_rows, bp_str_of(cases[i].json), arena, &todo, NULL), 0);
        cr_expect_eq(todo_reminds(&todo, cases[i].due, &at), cases[i].at > 0, "%s", cases[i].json);
        cr_expect_eq(at, cases[i].at, "%s", cases[i].json);
    }
    arena_free(arena);
}
