/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "sse.h"

Test(sse, events)
{
    static const struct {
        struct bp_events_item item;
        const char *text;
    } cases[] = {
        {{.position = 7, .type = BP_STR_INIT("todo.deleted"), .data = BP_STR_INIT("{\"id\":\"x\"}"), .at = 0},
         "id: 7\nevent: todo.deleted\n"
         "data: {\"id\":7,\"type\":\"todo.deleted\",\"at\":\"1970-01-01T00:00:00.000Z\",\"data\":{\"id\":\"x\"}}\n\n"},
        /* An event is one line of data, however its JSON was written. */
        {{.position = INT64_MAX,
          .type = BP_STR_INIT("a"),
          .data = BP_STR_INIT("{\r\n\"b\": 1\n}"),
          .at = 1795377302123},
         "id: 9223372036854775807\nevent: a\n"
         "data: {\"id\":9223372036854775807,\"type\":\"a\",\"at\":\"2026-11-22T19:55:02.123Z\",\"data\":{  \"b\": 1 "
         "}}\n\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t room = sse_event_room(&cases[i].item);
        char *text = malloc(room);
        cr_assert(text);
        size_t len = (size_t)(sse_event(text, &cases[i].item) - text);
        cr_expect_leq(len, room);
        cr_expect(bp_str_is(bp_str_n(text, len), cases[i].text), "%.*s", (int)len, text);
        free(text);
    }
}

Test(sse, other_texts)
{
    char text[SSE_TEXT_ROOM];
    cr_expect(bp_str_is(bp_str_n(text, sse_retry(text, 1500 * BP_MILLISECOND)), "retry: 1500\n\n"));
    cr_expect(bp_str_is(bp_str_n(text, sse_keep_alive(text, -1)), ":\n\n"));
    cr_expect(bp_str_is(bp_str_n(text, sse_keep_alive(text, 0)), ":\nid: 0\n\n"));
    cr_expect(bp_str_is(bp_str_n(text, sse_keep_alive(text, 12)), ":\nid: 12\n\n"));
    size_t len = sse_resync(text, INT64_MAX, 0);
    cr_expect(bp_str_is(bp_str_n(text, len), "id: 9223372036854775807\nevent: resync\n"
                                             "data: {\"id\":9223372036854775807,\"type\":\"resync\",\"at\":"
                                             "\"1970-01-01T00:00:00.000Z\",\"data\":{}}\n\n"),
              "%.*s", (int)len, text);
}

Test(sse, types)
{
    static const struct {
        const char *types, *type;
        bool well_formed, wanted;
    } cases[] = {{"a", "a", true, true},      {"a,b.c", "b.c", true, true},
                 {"a,b.c", "b", true, false}, {"todo.created", "todo.created2", true, false},
                 {"", "a", false, true},      {",", "a", false, false},
                 {"a,", "b", false, false},   {"a b", "a", false, false},
                 {"A", "a", false, false},    {"a\n", "a", false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(sse_are_types(bp_str_of(cases[i].types)), cases[i].well_formed, "%zu", i);
        cr_expect_eq(sse_is_wanted(bp_str_of(cases[i].types), bp_str_of(cases[i].type)), cases[i].wanted, "%zu", i);
    }
}
