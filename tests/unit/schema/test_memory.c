/* SPDX-License-Identifier: MIT */
/* jansson's n-th allocation fails, for n = 1, 2, 3 … until there is no n-th: a clean error each time (jansson makes a syntax error
 * of some), and nothing is left. */
#include "backplane/status.h"
#include "core/base/arena.h"
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

static int countdown, held;

static void *failing_malloc(size_t size)
{
    void *ptr = --countdown == 0 ? NULL : malloc(size);
    held += ptr != NULL;
    return ptr;
}

static void counting_free(void *ptr)
{
    held -= ptr != NULL;
    free(ptr);
}

static int attempts(const struct bp_field *rows, bp_str json, struct bp_arena *arena, void *object)
{
    struct bp_problems problems;
    int status, n = 0;
    json_set_alloc_funcs(failing_malloc, counting_free);
    do {
        countdown = ++n;
        problems_init(&problems, arena);
        status = schema_decode_json(rows, json, arena, object, &problems);
        cr_assert(status == 0 || status == BP_NOMEM || status == SCHEMA_SYNTAX, "attempt %d gives %d: %s", n, status,
                  problems_text(&problems));
        cr_assert_eq(held, 0, "attempt %d leaks", n);
    } while (countdown <= 0);
    cr_expect_eq(status, 0);
    json_set_alloc_funcs(malloc, free);
    return n;
}

Test(memory, every_allocation_of_the_parser)
{
    struct bp_arena *arena = arena_new();
    struct todo_body body;
    struct scalars s;
    cr_expect_gt(
        attempts(todo_body, BP_STR("{\"title\":\"x\",\"more\":[1,2.5,{\"a\":\"\\u00e9\"},null,true]}"), arena, &body),
        10);
    cr_expect(bp_str_is(body.title, "x"));
    cr_expect_gt(attempts(scalars, BP_STR("{\"ratio\":99999999999999999999,\"text\":\"y\"}"), arena, &s), 10);
    cr_expect(s.ratio == 1e20 && bp_str_is(s.text, "y"));
    arena_free(arena);
}
