/* SPDX-License-Identifier: MIT */
/*
 * Refresh tokens: opaque to clients, 48 random bytes. The first 16 are those of the session and never change, so that a token that
 * was replaced long ago is still known as one; the other 32 are the token's own. The database keeps hashes only, and the token
 * that replaced another sealed with that other one: whoever can show the old token may be told the new one again. Pure but for
 * randomness.
 */
#ifndef AUTH_REFRESH_TOKEN_H
#define AUTH_REFRESH_TOKEN_H

#include "backplane/str.h"

#define REFRESH_FAMILY 16u /* bytes */
#define REFRESH_OWN 32u
#define REFRESH_TOKEN_LEN 64u /* base64url */
#define REFRESH_HASH_LEN 43u

struct refresh_token {
    uint8_t family[REFRESH_FAMILY];
    uint8_t own[REFRESH_OWN];
};

/* What is kept of one; NUL-terminated. */
struct refresh_hashes {
    char family[REFRESH_HASH_LEN + 1];
    char own[REFRESH_HASH_LEN + 1];
};

/* Of a new session. */
void refresh_token_new(struct refresh_token *ret_token);
/* The next one of the same session. */
void refresh_token_next(const struct refresh_token *token, struct refresh_token *ret_next);
/* False when it is none. */
bool refresh_token_parse(bp_str text, struct refresh_token *ret_token);
void refresh_token_format(const struct refresh_token *token, char ret_text[REFRESH_TOKEN_LEN + 1]);
void refresh_token_hash(const struct refresh_token *token, struct refresh_hashes *ret_hashes);

/* The successor of a token, readable with that token only. */
void refresh_token_seal(const struct refresh_token *token, const struct refresh_token *successor,
                        char ret_sealed[REFRESH_HASH_LEN + 1]);
bool refresh_token_unseal(const struct refresh_token *token, bp_str sealed, struct refresh_token *ret_successor);

#endif
