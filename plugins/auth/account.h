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
    bool disabled;
    bp_date created_at;
};

enum account_condition {
    ACCOUNT_E_MISSING = 1,
    ACCOUNT_E_TAKEN /* the address has an account */
};

int account_find_by_email(struct bp_service db, bp_str email, struct bp_arena *arena, struct account *ret_account);
int account_find(struct bp_service db, const bp_uuid *id, struct bp_arena *arena, struct account *ret_account);
/* On behalf of a token: its role only, in the arena. ACCOUNT_E_MISSING, too, when it is disabled, or when the token's session has ended;
 * a token without a session (session_id NULL) counts when it was issued after the account's sessions were last ended. */
int account_check(struct bp_service db, const bp_uuid *id, const bp_uuid *session_id, bp_date issued, bool fresh,
                  struct bp_arena *arena, bp_str *ret_role);
/* Role "user". Of several at the same time for one address, one succeeds. */
int account_create(struct bp_service db, const struct account *account);
/* Stores a new hash unless the old one was replaced meanwhile. */
int account_renew_hash(struct bp_service db, const bp_uuid *id, bp_str old_hash, bp_str new_hash, bp_date now);
/* These three only as long as old_hash is the account's; else ACCOUNT_E_MISSING. */
int account_set_email(struct bp_service db, const bp_uuid *id, bp_str old_hash, bp_str email, bp_date now);
/* Tokens without a session that were issued before now count no longer. */
int account_set_password(struct bp_service db, struct bp_tx *tx, const bp_uuid *id, bp_str old_hash, bp_str new_hash,
                         bp_date now);
/* With all that refers to it. */
int account_delete(struct bp_service db, struct bp_tx *tx, const bp_uuid *id, bp_str old_hash);
/* Tokens without a session that were issued before now count no longer. */
int account_end_tokens(struct bp_service db, struct bp_tx *tx, const bp_uuid *id, bp_date now);
/* *ret_id: of the account that has the address. 0, ACCOUNT_E_MISSING or a negative status. */
int account_set_role(struct bp_service db, bp_str email, bp_str role, bp_date now, struct bp_arena *arena,
                     bp_uuid *ret_id);

#endif
