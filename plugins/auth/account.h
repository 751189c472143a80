/* SPDX-License-Identifier: MIT */
/* Accounts, as the database keeps them. Every function suspends; statuses are those of the database. */
#ifndef AUTH_ACCOUNT_H
#define AUTH_ACCOUNT_H

#include "backplane/iface/database.h"

struct account {
    bp_uuid id;
    bp_str email; /* lower case */
    bp_str password_hash;
    bp_str role; /* "user", "admin" */
    bp_date created_at;
};

enum account_condition {
    ACCOUNT_E_MISSING = 1,
    ACCOUNT_E_TAKEN /* the address has an account */
};

int account_find_by_email(struct bp_service db, bp_str email, struct bp_arena *arena, struct account *ret_account);
/* Its role only; asked for on behalf of tokens. In the arena. */
int account_find_role(struct bp_service db, const bp_uuid *id, struct bp_arena *arena, bp_str *ret_role);
/* Role "user". Of several at the same time for one address, one succeeds. */
int account_create(struct bp_service db, const struct account *account);
/* Stores a new hash unless the old one was replaced meanwhile. */
int account_renew_hash(struct bp_service db, const bp_uuid *id, bp_str old_hash, bp_str new_hash, bp_date now);

#endif
