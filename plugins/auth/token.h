/* SPDX-License-Identifier: MIT */
/* Access tokens: JSON Web Tokens (RFC 7519), signed as their key asks and in no other way (RFC 8725 3.1). Pure. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "backplane/arena.h"
#include "claims.h"
#include "key_ring.h"

#define TOKEN_MAX 4096 /* bytes; ours have about 270 */

enum token_condition {
    TOKEN_E_MALFORMED = 16, /* not three base64url parts, not JSON */
    TOKEN_E_HEADER,         /* another algorithm, type or key, or an extension ("crit") */
    TOKEN_E_SIGNATURE,
    TOKEN_E_ISSUER /* made by, or for, somebody else */
};

/* The token of a session of an account, valid for `lifetime` from now on (whole seconds). In the arena. BP_NOMEM or 0. */
int token_make(const struct key *key, const bp_uuid *user_id, const bp_uuid *session_id, bp_date now, bp_span lifetime,
               struct bp_arena *arena, bp_str *ret_token);
/* One of our own. 0, BP_NOMEM, or a condition of this file or of claims.h. */
int token_verify(const struct key_ring *keys, bp_str text, bp_date now, struct claims *ret_claims);

/* A token taken apart, of which nothing is to be believed yet. */
struct token {
    bp_str text, signed_text;
    struct json_t *header, *payload; /* objects */
    unsigned char signature[KEY_SIGNATURE_MAX];
    size_t signature_len;
};
/* 0, BP_NOMEM, TOKEN_E_MALFORMED or TOKEN_E_SIGNATURE. Texts are borrowed. To be closed when 0. */
int token_open(bp_str text, struct token *ret_token);
void token_close(struct token *token);
/* A member that is a string; ptr NULL when it is not. */
bp_str token_text(const struct json_t *object, const char *name);
/* "kid", ptr NULL without one. False when it is no string. */
bool token_key_id(const struct token *token, bp_str *ret_id);
/* key may be NULL: nobody has it. 0, BP_NOMEM, TOKEN_E_HEADER or TOKEN_E_SIGNATURE. */
int token_check_signature(const struct token *token, const struct key *key);
/* As token_verify(). */
int token_check_own(const struct key_ring *keys, const struct token *token, bp_date now, struct claims *ret_claims);

/* The token of an Authorization field ("Bearer …", RFC 6750 2.1). False when there is none: absent, another scheme, or
 * nothing behind it. */
bool bearer_token(bp_str authorization, bp_str *ret_token);

#endif
