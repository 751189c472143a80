/* SPDX-License-Identifier: MIT */
/*
 * Tokens that are sent by mail and used once: 32 random bytes, and a digest of the address that they were sent to, so that they are void when the
 * account has another one. Only hashes are kept. Functions that take a database suspend; statuses are those of the database.
 */
#ifndef AUTH_MAILED_TOKEN_H
#define AUTH_MAILED_TOKEN_H

#include "backplane/iface/database.h"

#define MAILED_TOKEN_LEN 60u /* 43 characters of base64url, ".", 16 hexadecimal digits */
/* No second message for one purpose within this time. */
#define MAILED_TOKEN_EVERY BP_MINUTE

enum mailed_purpose { MAILED_RESET, MAILED_VERIFY };

enum mailed_condition {
    MAILED_E_INVALID = 1, /* unknown, used, expired, or of another address */
    MAILED_E_EARLY        /* one was sent less than MAILED_TOKEN_EVERY ago */
};

struct mailed_owner {
    bp_uuid user_id;
    bp_str email;
};

/* A new one in place of an earlier one of the purpose. ret_token gets a NUL. */
int mailed_token_create(struct bp_service db, enum mailed_purpose purpose, const bp_uuid *user_id, bp_str email,
                        bp_date now, bp_span lifetime, char ret_token[MAILED_TOKEN_LEN + 1]);
/* Whose it is. It is not used up by that. */
int mailed_token_find(struct bp_service db, enum mailed_purpose purpose, bp_str token, bp_date now,
                      struct bp_arena *arena, struct mailed_owner *ret_owner);
/* Uses it up; of several at the same time one gets 0. */
int mailed_token_use(struct bp_service db, struct bp_tx *tx, enum mailed_purpose purpose, bp_str token, bp_date now);
/* The address has been seen to be the account's. */
int mailed_token_verified(struct bp_service db, struct bp_tx *tx, const struct mailed_owner *owner, bp_date now);
/* A new password, and no token that was made before; whatever the old one was. */
int mailed_token_set_password(struct bp_service db, struct bp_tx *tx, const struct mailed_owner *owner,
                              const char *hash, bp_date now);

#endif
