/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sodium.h>

#include "capacity.h"
#include "hash_slots.h"
#include "password.h"

Test(password, dummy)
{
    char one[PASSWORD_HASH_SIZE], two[PASSWORD_HASH_SIZE];
    cr_assert(sodium_init() >= 0);
    password_dummy(one);
    password_dummy(two);
    cr_expect_str_neq(one, two);
    /* Well formed, and with the parameters of a real one, so that it takes as long. */
    cr_expect_eq(crypto_pwhash_str_needs_rehash(one, PASSWORD_PASSES, PASSWORD_MEMORY), 0);
    cr_expect(strncmp(one, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0, "%s", one);
    char real[PASSWORD_HASH_SIZE];
    cr_assert_eq(crypto_pwhash_str(real, "Passw0rd!", 9, PASSWORD_PASSES, PASSWORD_MEMORY), 0);
    cr_expect_eq(strlen(one), strlen(real));
    cr_expect_eq(crypto_pwhash_str_verify(one, "Passw0rd!", 9), -1);
}

Test(password, capacity)
{
    cr_expect(capacity_processors() >= 1);
    cr_expect(capacity_memory() > 0);
    cr_expect(capacity_memory() < UINT64_MAX);
    cr_expect_eq(hash_slots_automatic(UINT64_C(8) << 30, 4), 4);
    cr_expect_eq(hash_slots_automatic(UINT64_C(8) << 30, 1), 1);
    cr_expect_eq(hash_slots_automatic(UINT64_C(128) << 20, 16), 3); /* 64 MiB / 19 MiB */
    cr_expect_eq(hash_slots_automatic(UINT64_C(16) << 20, 16), 1);
}
