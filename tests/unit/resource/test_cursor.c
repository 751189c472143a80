/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/base/arena.h"
#include "core/resource/cursor.h"

static const unsigned char key[CURSOR_KEY_BYTES] = "a key", other_key[CURSOR_KEY_BYTES] = "another key";
static const uint32_t types[] = {BP_TYPE_BOOL, BP_TYPE_I64, BP_TYPE_DATE, BP_TYPE_F64, BP_TYPE_TEXT, BP_TYPE_UUID};
#define COUNT (sizeof(types) / sizeof(*types))

static bp_str make(struct bp_arena *arena, bp_str purpose)
{
    const bp_uuid id = {{1, 2, 3}};
    const struct bp_db_value values[COUNT] = {bp_db_bool(true), bp_db_i64(-7),           bp_db_date(1234567890123),
                                              bp_db_f64(0.25),  bp_db_text(BP_STR("é")), bp_db_uuid(&id)};
    return cursor_make(key, purpose, values, COUNT, arena);
}

Test(cursor, comes_back_as_it_went)
{
    struct bp_arena *arena = arena_new();
    struct bp_db_value values[COUNT];
    bp_str cursor = make(arena, BP_STR("todos a"));
    cr_assert(cursor.ptr);
    cr_assert(cursor_read(key, BP_STR("todos a"), cursor, types, COUNT, arena, values));
    cr_expect(values[0].as.boolean);
    cr_expect_eq(values[1].as.integer, -7);
    cr_expect_eq(values[2].as.integer, 1234567890123);
    cr_expect(values[3].as.number == 0.25);
    cr_expect(bp_str_is(values[4].as.text, "é"));
    cr_expect_eq(values[5].as.uuid.bytes[2], 3);
    arena_free(arena);
}

Test(cursor, no_other_is_believed)
{
    struct bp_arena *arena = arena_new();
    struct bp_db_value values[COUNT];
    bp_str cursor = make(arena, BP_STR("todos a"));
    static const uint32_t fewer[] = {BP_TYPE_BOOL, BP_TYPE_I64};
    cr_expect_not(cursor_read(key, BP_STR("todos b"), cursor, types, COUNT, arena, values));
    cr_expect_not(cursor_read(other_key, BP_STR("todos a"), cursor, types, COUNT, arena, values));
    cr_expect_not(cursor_read(key, BP_STR("todos a"), cursor, fewer, 2, arena, values));
    cr_expect_not(cursor_read(key, BP_STR("todos a"), BP_STR(""), types, COUNT, arena, values));
    cr_expect_not(cursor_read(key, BP_STR("todos a"), BP_STR("AAAA"), types, COUNT, arena, values));
    cr_expect_not(cursor_read(key, BP_STR("todos a"), BP_STR("not base64!"), types, COUNT, arena, values));
    for (size_t i = 0; i < cursor.len; i++) { /* every character changed, and every one cut off */
        char changed[512];
        memcpy(changed, cursor.ptr, cursor.len);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        cr_expect_not(cursor_read(key, BP_STR("todos a"), bp_str_n(changed, cursor.len), types, COUNT, arena, values),
                      "character %zu", i);
        cr_expect_not(cursor_read(key, BP_STR("todos a"), bp_str_n(cursor.ptr, i), types, COUNT, arena, values));
    }
    arena_free(arena);
}

Test(cursor, a_value_too_long_makes_none)
{
    struct bp_arena *arena = arena_new();
    char text[4000];
    memset(text, 'x', sizeof(text));
    const struct bp_db_value value = bp_db_text(bp_str_n(text, sizeof(text)));
    cr_expect_null(cursor_make(key, BP_STR(""), &value, 1, arena).ptr);
    arena_free(arena);
}
