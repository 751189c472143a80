/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sodium.h>

#include "backplane/status.h"
#include "core/base/arena.h"
#include "seal.h"

Test(seal, there_and_back)
{
    static const char *const texts[] = {"", "x", "Dear Ada,\n\nthe token is \xc3\xa4\xc3\xb6.\n"};
    const bp_str secret = BP_STR("a secret of thirty-two characters"),
                 other = BP_STR("another of thirty-two characters!");
    struct bp_arena *arena = arena_new();
    cr_assert_geq(sodium_init(), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        bp_str text = {0}, sealed = seal_text(secret, bp_str_of(texts[i]), arena);
        bp_str again = seal_text(secret, bp_str_of(texts[i]), arena);
        cr_assert_not_null(sealed.ptr);
        cr_expect_not(bp_str_eq(sealed, again), "never the same twice");
        cr_assert_eq(seal_open(secret, sealed, arena, &text), 0);
        cr_expect(bp_str_is(text, texts[i]), "%.*s", (int)text.len, text.ptr);
        cr_expect_eq(seal_open(other, sealed, arena, &text), SEAL_E_FOREIGN);
        cr_expect_eq(seal_open(secret, bp_str_n(sealed.ptr, sealed.len - 4), arena, &text), SEAL_E_FOREIGN);
        char *changed = (char *)(uintptr_t)bp_arena_copy(arena, sealed).ptr;
        changed[7] = changed[7] == 'A' ? 'B' : 'A';
        cr_expect_eq(seal_open(secret, bp_str_n(changed, sealed.len), arena, &text), SEAL_E_FOREIGN);
    }
    bp_str text = {0};
    cr_expect_eq(seal_open(secret, BP_STR(""), arena, &text), SEAL_E_FOREIGN);
    cr_expect_eq(seal_open(secret, BP_STR("not base64!"), arena, &text), SEAL_E_FOREIGN);
    cr_expect_eq(seal_open(secret, BP_STR("AAAA"), arena, &text), SEAL_E_FOREIGN);
    cr_expect_eq(seal_open(secret, bp_str_n("", SIZE_MAX - 8), arena, &text), BP_NOMEM, "that is no other secret");
    cr_expect_null(text.ptr);
    arena_free(arena);
}
