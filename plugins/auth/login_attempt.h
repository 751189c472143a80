/* SPDX-License-Identifier: MIT */
/* Throttling, as handlers that check a password use it. */
#ifndef AUTH_LOGIN_ATTEMPT_H
#define AUTH_LOGIN_ATTEMPT_H

#include "auth.h"

struct login_attempt {
    struct throttle_attempt attempt;
    struct throttle_address address;
};

/* Before the password is looked at. user_id: NULL when there is no such account. Suspends. 0, BP_REFUSED when 429 was recorded, or
 * another negative status. */
int login_attempt_begin(struct auth *auth, struct bp_request *rq, bp_str email, const bp_uuid *user_id,
                        struct login_attempt *ret_attempt);
/* The password was right: it does not count, and the address is familiar from now on. Suspends. */
void login_attempt_succeeded(struct auth *auth, const struct login_attempt *attempt, const bp_uuid *user_id);
/* password_verify() failed with this status: one that was not looked at does not count. Returns the status. Suspends. */
int login_attempt_broken(struct auth *auth, const struct login_attempt *attempt, int status);

#endif
