/* SPDX-License-Identifier: MIT */
/* Whoever changes an account says its password again: a token alone may have been stolen. */
#ifndef AUTH_CONFIRM_H
#define AUTH_CONFIRM_H

#include "account.h"
#include "auth.h"

/* The account of the request, when that is its password. Who guesses is throttled as in logins. 0, BP_REFUSED with 403, 401 or 429 recorded,
 * or another negative status. Suspends. */
int confirm_password(struct auth *auth, struct bp_request *rq, bp_str password, struct account *ret_account);

#endif
