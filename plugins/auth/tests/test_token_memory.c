/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>

#include "token_memory.h"

static struct remembered remember(struct token_memory *memory, const char *token, bp_time account_until)
{
    struct remembered r = {.digest = token_memory_digest(memory, bp_str_of(token)), .account_until = account_until};
    r.claims.user_id = bp_uuid_new();
    r.claims.expires = 1000;
    snprintf(r.role, sizeof(r.role), "user");
    token_memory_put(memory, &r);
    return r;
}

Test(token_memory, put_find_forget)
{
    struct token_memory memory = {0};
    struct remembered found;
    cr_assert_eq(token_memory_init(&memory, 64), 0);
    struct token_digest nothing = token_memory_digest(&memory, BP_STR("unknown"));
    cr_expect_not(token_memory_find(&memory, &nothing, &found));

    struct remembered first = remember(&memory, "first", 5), second = remember(&memory, "second", 6);
    cr_assert(token_memory_find(&memory, &first.digest, &found));
    cr_expect(bp_uuid_eq(&found.claims.user_id, &first.claims.user_id));
    cr_expect_str_eq(found.role, "user");
    cr_assert(token_memory_find(&memory, &second.digest, &found));
    cr_expect_eq(found.account_until, 6);

    first.account_until = 9; /* put again: replaced, not doubled */
    token_memory_put(&memory, &first);
    cr_assert(token_memory_find(&memory, &first.digest, &found));
    cr_expect_eq(found.account_until, 9);
    token_memory_forget(&memory, &first.digest);
    cr_expect_not(token_memory_find(&memory, &first.digest, &found));
    token_memory_forget(&memory, &first.digest);
    cr_expect(token_memory_find(&memory, &second.digest, &found));
    token_memory_deinit(&memory);
    token_memory_deinit(&memory);
}

/* Bounded: the one checked longest ago makes room. */
Test(token_memory, full)
{
    struct token_memory memory = {0};
    struct remembered all[6], found;
    char names[6][16];                              /* what a digest refers to */
    cr_assert_eq(token_memory_init(&memory, 4), 0); /* one set */
    cr_expect_eq(memory.mask, 0);
    for (int i = 0; i < 6; i++) {
        snprintf(names[i], sizeof(names[i]), "token %d", i);
        all[i] = remember(&memory, names[i], i == 0 ? 100 : 10 + i);
    }
    for (int i = 0; i < 6; i++)
        cr_expect(token_memory_find(&memory, &all[i].digest, &found) == (i != 1 && i != 2), "token %d", i);
    token_memory_deinit(&memory);
}

/* Only the end is hashed; what stands before it counts nevertheless. */
Test(token_memory, whole_token_counts)
{
    static const char first[] = "header.payload.0123456789abcdef0123456789abcdef",
                      other[] = "header.Payload.0123456789abcdef0123456789abcdef";
    struct token_memory memory = {0};
    struct remembered known, found;
    char text[sizeof(first)];
    cr_assert_eq(token_memory_init(&memory, 4), 0);
    memcpy(text, first, sizeof(first));
    known = remember(&memory, text, 5);
    memset(text, 'x', sizeof(text) - 1); /* a copy is kept */
    struct token_digest digest = token_memory_digest(&memory, bp_str_of(first));
    cr_assert(token_memory_find(&memory, &digest, &found));
    cr_expect(bp_uuid_eq(&found.claims.user_id, &known.claims.user_id));
    cr_expect_eq(found.digest.token.ptr, first);
    struct token_digest wrong = token_memory_digest(&memory, bp_str_of(other));
    cr_expect_eq(wrong.hash, digest.hash);
    cr_expect_not(token_memory_find(&memory, &wrong, &found));
    token_memory_forget(&memory, &wrong);
    cr_expect(token_memory_find(&memory, &digest, &found));
    token_memory_deinit(&memory);
}

Test(token_memory, keys_differ)
{
    struct token_memory one = {0}, two = {0};
    cr_assert_eq(token_memory_init(&one, 100), 0);
    cr_assert_eq(token_memory_init(&two, 100), 0);
    cr_expect_eq(one.mask, 31);
    struct token_digest a = token_memory_digest(&one, BP_STR("x")), b = token_memory_digest(&two, BP_STR("x"));
    cr_expect_neq(a.hash, b.hash);
    b = token_memory_digest(&one, BP_STR("x"));
    cr_expect_eq(a.hash, b.hash);
    token_memory_deinit(&one);
    token_memory_deinit(&two);
}
