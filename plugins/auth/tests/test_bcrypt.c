/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <crypt.h>

#include "bcrypt.h"

#define SALT "abcdefghijklmnopqrstuu"
#define A72 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Those with an answer are Openwall's test vectors for crypt_blowfish. */
static const struct {
    const char *hash;
    bp_str password;
    bool matches;
} cases[] = {
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", BP_STR_INIT("U*U"), true},
    {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", BP_STR_INIT("U*U"), true},
    {"$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", BP_STR_INIT("U*U"), true},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", BP_STR_INIT("U*U*"), true},
    {"$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", BP_STR_INIT("U*U*U"), true},
    {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", BP_STR_INIT(""), true},
    {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", BP_STR_INIT("U*u"), false},
    {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", BP_STR_INIT("U*U\0x"), false},
    {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX", BP_STR_INIT("U*U"), false},
    {"$2b$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", BP_STR_INIT("U*U"), false},
    {"$2b$05$!!!!!!!!!!!!!!!!!!!!!.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", BP_STR_INIT("U*U"), false},
};

Test(bcrypt, verify)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        bool matches = !cases[i].matches;
        cr_assert(bcrypt_is(cases[i].hash), "%s", cases[i].hash);
        cr_assert_eq(bcrypt_verify(cases[i].password, cases[i].hash, &matches), 0);
        cr_expect_eq(matches, cases[i].matches, "%zu: %s", i, cases[i].hash);
    }
}

/* Whoever made the hash saw no more than 72 bytes. */
Test(bcrypt, long_passwords)
{
    struct crypt_data data = {0};
    char hash[64];
    bool matches = false;
    strcpy(hash, crypt_rn(A72 "one tail", "$2b$04$" SALT, &data, sizeof(data)));
    cr_assert_eq(bcrypt_verify(BP_STR(A72 "another"), hash, &matches), 0);
    cr_expect(matches);
    cr_assert_eq(bcrypt_verify(bp_str_n(A72, 71), hash, &matches), 0);
    cr_expect_not(matches);
}

Test(bcrypt, other_hashes)
{
    static const char *const others[] = {"",
                                         "$2b$",
                                         "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA",
                                         "$1$abc$0123456789012345678901234567890123456789012345678901",
                                         "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
                                         "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
                                         "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        cr_expect_not(bcrypt_is(others[i]), "%s", others[i]);
}
