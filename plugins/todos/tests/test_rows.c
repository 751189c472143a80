/* SPDX-License-Identifier: MIT */
/* What the rows of bodies and queries accept, and what they say. */
#include <criterion/criterion.h>

#include "core/base/arena.h"
#include "core/schema/schema.h"
#include "todos.h"

struct create {
    bp_str title;
    bool completed;
};

struct update {
    uint64_t set, null;
    bp_str title;
    bool completed;
};

#define REQUIRED "Title is required"
#define EMPTY "Title cannot be empty"
#define LONG "Title must be less than 500 characters"
#define BOOLEAN "Completed must be a boolean"

static void decode(const struct bp_field *rows, const char *json, struct bp_arena *arena, void *object,
                   const char *messages)
{
    struct bp_problems problems;
    struct buffer joined = {0};
    problems_init(&problems, arena);
    int status = schema_decode_json(rows, bp_str_of(json), arena, object, &problems);
    for (size_t i = 0; i < problems.len; i++) {
        if (i > 0)
            buffer_add(&joined, BP_STR(", "));
        buffer_add(&joined, problems.items[i].message);
    }
    cr_expect(status == (*messages ? SCHEMA_INVALID : 0), "%s: %d", json, status);
    cr_expect(bp_str_is(buffer_str(&joined), messages), "%s: %.*s", json, (int)joined.len, joined.ptr);
    buffer_deinit(&joined);
}

static const struct {
    const char *json, *messages, *title;
    bool completed;
} creates[] = {
    {"{\"title\":\"Buy milk\"}", "", "Buy milk", false},
    {"{\"title\":\"  Buy milk\\t\\n\",\"completed\":true}", "", "Buy milk", true},
    {"{\"title\":\"x\",\"completed\":false,\"userId\":\"y\",\"id\":7}", "", "x", false},
    {"{}", REQUIRED, NULL, false},
    {"{\"title\":null}", REQUIRED, NULL, false},
    {"{\"title\":7}", REQUIRED, NULL, false},
    {"{\"title\":[\"x\"]}", REQUIRED, NULL, false},
    {"{\"title\":\"\"}", EMPTY, NULL, false},
    {"{\"title\":\"   \"}", EMPTY, NULL, false},
    {"{\"title\":\"x\",\"completed\":\"true\"}", BOOLEAN, NULL, false},
    {"{\"title\":\"x\",\"completed\":1}", BOOLEAN, NULL, false},
    {"{\"title\":\"x\",\"completed\":null}", BOOLEAN, NULL, false},
    {"{\"completed\":\"yes\"}", REQUIRED ", " BOOLEAN, NULL, false},
};

Test(rows, create)
{
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(creates) / sizeof(creates[0]); i++) {
        struct create body;
        decode(create_body, creates[i].json, arena, &body, creates[i].messages);
        if (creates[i].title) {
            cr_expect(bp_str_is(body.title, creates[i].title), "%s", creates[i].json);
            cr_expect(body.completed == creates[i].completed, "%s", creates[i].json);
        }
    }
    arena_free(arena);
}

Test(rows, title_length_in_code_points)
{
    struct bp_arena *arena = arena_new();
    struct create body;
    for (int points = 500; points <= 501; points++) {
        struct buffer json = {0};
        buffer_add(&json, BP_STR("{\"title\":\" "));
        for (int i = 0; i < points; i++)
            buffer_add(&json, BP_STR("\xf0\x9f\x98\x80"));
        buffer_add(&json, bp_str_n("  \"}", 5));
        decode(create_body, json.ptr, arena, &body, points == 500 ? "" : LONG);
        buffer_deinit(&json);
    }
    cr_expect(body.title.len > 0);
    arena_free(arena);
}

static const struct {
    const char *json, *messages;
    bool title, completed;
} updates[] = {
    {"{}", "", false, false},
    {"{\"title\":\" x \"}", "", true, false},
    {"{\"completed\":false}", "", false, true},
    {"{\"completed\":true,\"title\":\"x\",\"other\":1}", "", true, true},
    {"{\"title\":null}", REQUIRED, false, false},
    {"{\"title\":7}", REQUIRED, false, false},
    {"{\"title\":\"\"}", EMPTY, false, false},
    {"{\"title\":\" \"}", EMPTY, false, false},
    {"{\"completed\":\"x\"}", BOOLEAN, false, false},
    {"{\"completed\":null}", BOOLEAN, false, false},
    {"{\"completed\":0,\"title\":null}", REQUIRED ", " BOOLEAN, false, false},
};

Test(rows, update)
{
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
        struct update body;
        decode(update_body, updates[i].json, arena, &body, updates[i].messages);
        if (*updates[i].messages)
            continue;
        cr_expect(bp_is_set(update_body, &body, "title") == updates[i].title, "%s", updates[i].json);
        cr_expect(bp_is_set(update_body, &body, "completed") == updates[i].completed, "%s", updates[i].json);
        cr_expect(!updates[i].title || bp_str_is(body.title, "x"), "%s", updates[i].json);
    }
    arena_free(arena);
}

struct texts {
    const char *page, *limit;
};

static bool find(void *argument, bp_str name, bp_str *ret_text)
{
    const struct texts *texts = argument;
    const char *text = bp_str_is(name, "page") ? texts->page : bp_str_is(name, "limit") ? texts->limit : NULL;
    if (text)
        *ret_text = bp_str_of(text);
    return text != NULL;
}

static const struct {
    struct texts texts;
    int64_t page;
    uint32_t limit;
} queries[] = {
    {{NULL, NULL}, 1, 10},
    {{"2", "5"}, 2, 5},
    {{"1", "100"}, 1, 100},
    {{"1", "101"}, 1, 100},
    {{"1", "1000000000000"}, 1, 100},
    {{"0", "0"}, 1, 10},
    {{"-1", "-5"}, 1, 10},
    {{"x", "ten"}, 1, 10},
    {{"", ""}, 1, 10},
    {{"1.5", "2.5"}, 1, 10},
    {{"9007199254740991", "100"}, 9007199254740991, 100},
    {{"9223372036854775807", "100"}, 9007199254740991, 100},
};

Test(rows, query)
{
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct bp_problems problems;
        struct list_query query;
        struct texts texts = queries[i].texts;
        problems_init(&problems, arena);
        int status = schema_decode_texts(list_query, find, &texts, arena, &query, &problems);
        cr_expect_eq(status, 0, "row %zu", i);
        cr_expect_eq(query.page, queries[i].page, "row %zu: page %lld", i, (long long)query.page);
        cr_expect_eq(query.limit, queries[i].limit, "row %zu: limit %u", i, query.limit);
    }
    arena_free(arena);
}

Test(rows, tables_are_sound)
{
    static const struct {
        const char *name;
        const struct bp_field *rows;
    } tables[] = {{"create", create_body},
                  {"update", update_body},
                  {"query", list_query},
                  {"list", list_reply},
                  {"todo", todo_fields}};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        const char *error = schema_check(tables[i].rows);
        cr_expect(error == NULL, "%s: %s", tables[i].name, error);
    }
}
