/* SPDX-License-Identifier: MIT */
/* Access tokens: JSON Web Tokens (RFC 7519), signed with HS256 and nothing else (RFC 8725 3.1). Pure. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "backplane/arena.h"
#include "claims.h"

#define TOKEN_MAX 4096 /* bytes; ours have about 270 */

enum token_condition {
    TOKEN_E_MALFORMED = 16, /* not three base64url parts, not JSON */
    TOKEN_E_HEADER,         /* another algorithm, type or key, or an extension ("crit") */
    TOKEN_E_SIGNATURE
};

/* The token of a session of an account, valid for `lifetime` from now on (whole seconds). In the arena. BP_NOMEM or 0. */
int token_make(bp_str secret, const bp_uuid *user_id, const bp_uuid *session_id, bp_date now, bp_span lifetime,
               struct bp_arena *arena, bp_str *ret_token);
/* 0, BP_NOMEM, or a condition of this file or of claims.h. The secret is never empty. */
int token_verify(bp_str secret, bp_str token, bp_date now, struct claims *ret_claims);

/* The token of an Authorization field ("Bearer …", RFC 6750 2.1). False when there is none: absent, another scheme, or
 * nothing behind it. */
bool bearer_token(bp_str authorization, bp_str *ret_token);

#endif
