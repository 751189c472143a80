/* SPDX-License-Identifier: MIT */
/* Tokens of external issuers. */
#ifndef AUTH_FOREIGN_TOKEN_H
#define AUTH_FOREIGN_TOKEN_H

#include "auth.h"
#include "token.h"

/* Verifies it and finds, or makes, the account of its subject. Suspends. 0, a positive condition when it is refused, or a negative status. */
int foreign_token_verify(struct auth *auth, struct issuer *issuer, const struct token *token, bp_date now,
                         struct claims *ret_claims);

#endif
