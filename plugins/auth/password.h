/* SPDX-License-Identifier: MIT */
/* Passwords: argon2id (RFC 9106) in PHC strings, hashed off the loop. Hashes of bcrypt, which an import brought, are verified. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "backplane/str.h"

#define PASSWORD_MEMORY (UINT64_C(19456) * 1024) /* m, bytes */
#define PASSWORD_PASSES 2u                       /* t */
#define PASSWORD_HASH_SIZE 128                   /* of a PHC string with its NUL */

struct hash_slots;

struct password_check {
    bool matches;
    bool renewed; /* it matches, but was made with other parameters, or by bcrypt: new_hash is to be stored */
    char new_hash[PASSWORD_HASH_SIZE];
};

/* A hash that no password has, which takes as long to verify as any other: for accounts that do not exist. */
void password_dummy(char ret_hash[PASSWORD_HASH_SIZE]);

/* Both suspend. 0, or BP_BUSY, BP_CANCELED, BP_TIMEOUT, BP_NOMEM. A password is never cut. */
int password_hash(struct hash_slots *slots, bp_str password, char ret_hash[PASSWORD_HASH_SIZE]);
int password_verify(struct hash_slots *slots, bp_str password, bp_str hash, struct password_check *ret_check);

#endif
