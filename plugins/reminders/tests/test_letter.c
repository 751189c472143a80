/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/arena.h"
#include "letter.h"

#define ID "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"

static struct todo todo_of(const char *members, struct bp_arena *arena)
{
    struct todo todo = {0};
    bp_str problem;
    bp_str json = bp_arena_printf(arena, "{\"id\":\"" ID "\",%s}", members);
    cr_assert_eq(bp_object_decode(todo_rows, json, arena, &todo, &problem), 0, "%.*s", (int)problem.len, problem.ptr);
    return todo;
}

Test(letter, subjects)
{
    struct bp_arena *arena = arena_new();
    char a190[191] = "", a191[192] = "", members[400], expected[300];
    memset(a190, 'a', 190);
    memset(a191, 'a', 191);
    const struct {
        const char *title, *expected;
    } cases[] = {
        {"Buy milk", "Reminder: Buy milk"},
        {"two\\nlines\\tand\\r\\n\\u007f", "Reminder: two lines and   "},
        {"Gr\xc3\xbc\xc3\x9f"
         "e",
         "Reminder: Gr\xc3\xbc\xc3\x9f"
         "e"},
        {a190, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(members, sizeof(members), "\"title\":\"%s\"", cases[i].title);
        const struct todo todo = todo_of(members, arena);
        bp_str subject = letter_subject(&todo, arena);
        (void)snprintf(expected, sizeof(expected), "Reminder: %s", a190);
        cr_expect(bp_str_is(subject, cases[i].expected ? cases[i].expected : expected), "%.*s", (int)subject.len,
                  subject.ptr);
    }
    /* One byte too long, and cut in the middle of a character. */
    (void)snprintf(members, sizeof(members), "\"title\":\"%s\"", a191);
    struct todo todo = todo_of(members, arena);
    bp_str subject = letter_subject(&todo, arena);
    cr_expect_eq(subject.len, 10 + 187 + 3);
    cr_expect_arr_eq(subject.ptr + 10 + 186, "a\xe2\x80\xa6", 4);
    a191[186] = '\0';
    (void)snprintf(members, sizeof(members), "\"title\":\"%s\xc3\xa4\xc3\xa4\xc3\xa4\"", a191);
    todo = todo_of(members, arena);
    subject = letter_subject(&todo, arena);
    cr_expect_eq(subject.len, 10 + 186 + 3);
    cr_expect_arr_eq(subject.ptr + 10 + 185, "a\xe2\x80\xa6", 4);
    arena_free(arena);
}

Test(letter, texts)
{
    static const struct {
        const char *members, *link, *expected;
    } cases[] = {
        {"\"title\":\"Buy milk\"", "", "You wanted to be reminded of:\n\n    Buy milk\n"},
        {"\"title\":\"Buy\\nmilk\",\"dueAt\":null,\"remindAt\":\"2026-12-01T17:00:00Z\"", "",
         "You wanted to be reminded of:\n\n    Buy milk\n"},
        {"\"title\":\"Buy milk\",\"dueAt\":\"2026-12-01T17:00:00Z\"", "",
         "You wanted to be reminded of:\n\n    Buy milk\n\nDue: Tuesday, 1 December 2026, 17:00 UTC\n"},
        {"\"title\":\"100% of it\",\"dueAt\":\"2028-02-29T00:05:59.999Z\"", "https://app.example.com/%s?todo=",
         "You wanted to be reminded of:\n\n    100% of it\n\nDue: Tuesday, 29 February 2028, 00:05 UTC\n\n"
         "https://app.example.com/%s?todo=" ID "\n"},
        {"\"title\":\"x\",\"dueAt\":\"1969-12-31T23:59:59.999Z\"", "",
         "You wanted to be reminded of:\n\n    x\n\nDue: Wednesday, 31 December 1969, 23:59 UTC\n"},
    };
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct todo todo = todo_of(cases[i].members, arena);
        bp_str text = letter_text(&todo, bp_str_of(cases[i].link), arena);
        cr_expect(bp_str_is(text, cases[i].expected), "%.*s", (int)text.len, text.ptr);
    }
    arena_free(arena);
}
