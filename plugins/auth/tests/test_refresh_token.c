/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "refresh_token.h"

Test(refresh_token, text)
{
    struct refresh_token token, parsed;
    char text[REFRESH_TOKEN_LEN + 1];
    refresh_token_new(&token);
    refresh_token_format(&token, text);
    cr_expect_eq(strlen(text), REFRESH_TOKEN_LEN);
    cr_assert(refresh_token_parse(bp_str_of(text), &parsed));
    cr_expect(memcmp(&token, &parsed, sizeof(token)) == 0);

    cr_expect_not(refresh_token_parse(BP_STR(""), &parsed));
    cr_expect_not(refresh_token_parse(bp_str_n(NULL, 0), &parsed));
    for (size_t len = 0; len < REFRESH_TOKEN_LEN; len++)
        cr_expect_not(refresh_token_parse(bp_str_n(text, len), &parsed), "%zu", len);
    static const char wrong[] = "+/= .\n\x80";
    for (size_t i = 0; i < sizeof(wrong); i++) { /* a NUL, too */
        char changed[REFRESH_TOKEN_LEN + 1];
        memcpy(changed, text, sizeof(changed));
        changed[10] = wrong[i];
        cr_expect_not(refresh_token_parse(bp_str_n(changed, REFRESH_TOKEN_LEN), &parsed), "%d", wrong[i]);
    }
    cr_expect(memcmp(&token, &parsed, sizeof(token)) == 0, "untouched");
}

/* The successor is of the same family, is read with the token it replaced, and with no other. */
Test(refresh_token, successor)
{
    struct refresh_token token, next, other, read;
    struct refresh_hashes a, b, c;
    char sealed[REFRESH_HASH_LEN + 1];
    refresh_token_new(&token);
    refresh_token_new(&other);
    refresh_token_next(&token, &next);
    refresh_token_hash(&token, &a);
    refresh_token_hash(&next, &b);
    refresh_token_hash(&other, &c);
    cr_expect_str_eq(a.family, b.family);
    cr_expect_str_neq(a.own, b.own);
    cr_expect_str_neq(a.family, c.family);
    cr_expect_eq(strlen(a.family), REFRESH_HASH_LEN);
    cr_expect_eq(strlen(a.own), REFRESH_HASH_LEN);

    refresh_token_seal(&token, &next, sealed);
    cr_assert(refresh_token_unseal(&token, bp_str_of(sealed), &read));
    cr_expect(memcmp(&read, &next, sizeof(next)) == 0);
    memcpy(other.family, token.family, sizeof(other.family));
    cr_assert(refresh_token_unseal(&other, bp_str_of(sealed), &read));
    cr_expect(memcmp(&read, &next, sizeof(next)) != 0);
    cr_assert(refresh_token_unseal(&next, bp_str_of(sealed), &read));
    cr_expect(memcmp(&read, &next, sizeof(next)) != 0);
    cr_expect_not(refresh_token_unseal(&token, BP_STR("x"), &read));
    cr_expect_not(refresh_token_unseal(&token, bp_str_n(NULL, 0), &read));
}

/* Rows outlive programs: BLAKE2b-256 of 32 zeroes, in base64url. */
Test(refresh_token, hashes_stay)
{
    struct refresh_token token;
    struct refresh_hashes hashes;
    memset(&token, 0, sizeof(token));
    refresh_token_hash(&token, &hashes);
    cr_expect_str_eq(hashes.own, "iesNaoppHa4s0V7QNpkxzgqUnsr6XD-T-BIYM2RuFcM");
}
