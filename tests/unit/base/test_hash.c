/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sodium.h>

#include "backplane/hash.h"
#include "core/base/siphash.h"

/* The one with more rounds is known to another library; only the numbers of rounds differ. */
Test(hash, siphash)
{
    uint8_t key[16];
    char text[80];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 37);
    for (size_t len = 0; len <= sizeof(text); len++) {
        uint64_t ours[2], theirs[2];
        siphash(2, 4, false, key, bp_str_n(text, len), ours);
        (void)crypto_shorthash((unsigned char *)theirs, (const unsigned char *)text, len, key);
        cr_expect_eq(htole64(ours[0]), theirs[0], "%zu bytes", len);
        siphash(2, 4, true, key, bp_str_n(text, len), ours);
        (void)crypto_shorthash_siphashx24((unsigned char *)theirs, (const unsigned char *)text, len, key);
        cr_expect(htole64(ours[0]) == theirs[0] && htole64(ours[1]) == theirs[1], "%zu bytes, wide", len);
    }
}

Test(hash, depends_on_all)
{
    uint8_t key[BP_HASH_KEY] = {1}, other[BP_HASH_KEY] = {2};
    uint64_t wide[2], again[2];
    cr_expect_eq(bp_hash(key, BP_STR("a")), bp_hash(key, BP_STR("a")));
    cr_expect_neq(bp_hash(key, BP_STR("a")), bp_hash(other, BP_STR("a")));
    cr_expect_neq(bp_hash(key, BP_STR("")), bp_hash(key, BP_STR("\0")));
    cr_expect_neq(bp_hash(key, BP_STR("12345678")), bp_hash(key, BP_STR("123456789")));
    bp_hash_wide(key, BP_STR("12345678"), wide);
    bp_hash_wide(key, BP_STR("12345679"), again);
    cr_expect(wide[0] != again[0] && wide[1] != again[1] && wide[0] != wide[1]);
}
