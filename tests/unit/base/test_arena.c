/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"

static struct bp_arena *arena;

static void setup(void)
{
    arena = arena_new();
    cr_assert_not_null(arena);
}

static void teardown(void)
{
    arena = arena_free(arena);
}

TestSuite(arena, .init = setup, .fini = teardown);

static bool is_zero(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

Test(arena, pieces_are_zeroed_aligned_and_apart)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4095, 4096, 4097, 8000, 100000, 3};
    unsigned char *pieces[sizeof(sizes) / sizeof(sizes[0])];
    cr_assert_eq(arena_held(arena), 0, "a fresh arena holds nothing");
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            pieces[i] = bp_arena_alloc(arena, sizes[i]);
            cr_assert_not_null(pieces[i]);
            cr_assert_eq((uintptr_t)pieces[i] % 16, 0, "size %zu", sizes[i]);
            cr_assert(is_zero(pieces[i], sizes[i]), "size %zu", sizes[i]);
            memset(pieces[i], (int)i + 1, sizes[i]);
        }
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            for (size_t j = 0; j < sizes[i]; j++)
                cr_assert_eq(pieces[i][j], i + 1, "piece %zu was overwritten at %zu", i, j);
        arena_reset(arena);
    }
}

Test(arena, reset_keeps_one_chunk_and_uses_it_again)
{
    void *first = bp_arena_alloc(arena, 16);
    size_t held = arena_held(arena);
    cr_assert_gt(held, 0);
    for (int i = 0; i < 100; i++)
        cr_assert_not_null(bp_arena_alloc(arena, 1000));
    cr_assert_not_null(bp_arena_alloc(arena, 50000));
    cr_assert_geq(arena_held(arena), 150000);
    arena_reset(arena);
    cr_assert_eq(arena_held(arena), held);
    cr_assert_not_null(bp_arena_alloc(arena, 16));
    cr_assert_eq(arena_held(arena), held);
    arena_reset(arena);
    arena_reset(arena);
    (void)first;
    arena_free(arena);
    /* The chunk is on the free list now: the same one comes back. */
    arena = arena_new();
    cr_assert_eq(arena_held(arena), 0);
    cr_assert_not_null(bp_arena_alloc(arena, 16));
    cr_assert_eq(arena_held(arena), held);
}

Test(arena, a_large_piece_leaves_the_chunk_in_use)
{
    size_t held;
    cr_assert_not_null(bp_arena_alloc(arena, 20000));
    cr_assert_not_null(bp_arena_alloc(arena, 16));
    held = arena_held(arena);
    cr_assert_not_null(bp_arena_alloc(arena, 20000));
    cr_assert_not_null(bp_arena_alloc(arena, 16));
    cr_assert_lt(arena_held(arena), held + 21000, "a small piece still fitted the chunk in use");
}

Test(arena, impossible_sizes_are_refused)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 8, SIZE_MAX - 16, SIZE_MAX - 32, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        cr_assert_null(bp_arena_alloc(arena, sizes[i]), "%zu", sizes[i]);
    cr_assert_null(bp_arena_array(arena, SIZE_MAX / 8 + 1, 8));
    cr_assert_null(bp_arena_array(arena, 8, SIZE_MAX / 8 + 1));
    cr_assert_null(bp_arena_array(arena, SIZE_MAX, SIZE_MAX));
    cr_assert_eq(arena_held(arena), 0);
    cr_assert_not_null(bp_arena_array(arena, 7, 3));
    cr_assert_not_null(bp_arena_array(arena, 0, 3));
}

Test(arena, text)
{
    char long_text[1000];
    bp_str copy = bp_arena_copy(arena, bp_str_n("abcdef", 3));
    cr_assert_str_eq(copy.ptr, "abc");
    cr_assert_eq(copy.len, 3);
    copy = bp_arena_copy(arena, bp_str_n(NULL, 0));
    cr_assert_str_eq(copy.ptr, "");
    cr_assert_eq(copy.len, 0);
    copy = bp_arena_printf(arena, "%d-%s", 42, "x");
    cr_assert_str_eq(copy.ptr, "42-x");
    cr_assert_eq(copy.len, 4);
    for (size_t len = 254; len <= 258; len++) {
        memset(long_text, 'y', len);
        long_text[len] = '\0';
        copy = bp_arena_printf(arena, "%s", long_text);
        cr_assert_eq(copy.len, len);
        cr_assert_str_eq(copy.ptr, long_text);
    }
}

Test(arena, freeing_nothing)
{
    cr_assert_null(arena_free(NULL));
}

Test(buffer, grows_and_keeps_what_it_holds)
{
    struct buffer buffer = {0};
    for (int i = 0; i < 1000; i++) {
        buffer_printf(&buffer, "%03d", i);
        buffer_add_char(&buffer, ',');
        buffer_add(&buffer, BP_STR("ab"));
        buffer_add(&buffer, bp_str_n(NULL, 0));
    }
    cr_assert_not(buffer.failed);
    cr_assert_eq(buffer_str(&buffer).len, 6000);
    for (int i = 0; i < 1000; i++) {
        char expected[8];
        snprintf(expected, sizeof(expected), "%03d,ab", i);
        cr_assert_arr_eq(buffer.ptr + 6 * i, expected, 6);
    }
    buffer_deinit(&buffer);
    cr_assert_null(buffer.ptr);
    cr_assert_eq(buffer.cap, 0);
}

Test(buffer, printf_longer_than_the_room)
{
    struct buffer buffer = {0};
    char text[5000];
    memset(text, 'z', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    buffer_printf(&buffer, "<%s>", text);
    cr_assert_eq(buffer.len, sizeof(text) + 1);
    cr_assert_eq(buffer.ptr[0], '<');
    cr_assert_eq(buffer.ptr[sizeof(text)], '>');
    buffer_deinit(&buffer);
}

Test(buffer, remembers_a_failure)
{
    struct buffer buffer = {0};
    buffer_add(&buffer, BP_STR("kept"));
    cr_assert_not(buffer_reserve(&buffer, SIZE_MAX - 2));
    cr_assert(buffer.failed);
    buffer_add(&buffer, BP_STR("dropped"));
    buffer_add_char(&buffer, 'x');
    buffer_printf(&buffer, "%d", 1);
    cr_assert_eq(buffer.len, 4);
    buffer_deinit(&buffer);
    cr_assert_not(buffer.failed);
}
