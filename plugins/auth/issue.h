/* SPDX-License-Identifier: MIT */
/* What a client gets to go on with: an access token and the refresh token of its session. */
#ifndef AUTH_ISSUE_H
#define AUTH_ISSUE_H

#include "account.h"
#include "auth.h"
#include "session.h"

/* The reply to whoever gets them. */
struct token_pair {
    bool success;
    bp_str message;
    bp_str token;
    bp_str refresh_token;
    int64_t expires_in;  /* seconds, of token */
    struct account user; /* login says whose, too */
};

/* Both say `message`; the rest is in the arena of the request. Both suspend. */
/* Begins a session of the account. tx: may be NULL. 0, SESSION_E_MISSING when the account is gone or disabled, or a
 * negative status. */
int issue_new(struct auth *auth, struct bp_request *rq, struct bp_tx *tx, const bp_uuid *user_id, const char *message,
              struct token_pair *ret_pair);
/* Goes on with the session of a refresh token. 0, SESSION_E_MISSING, SESSION_E_REUSED, or a negative status. ret_session: whose, unless
 * it is missing. */
int issue_again(struct auth *auth, struct bp_request *rq, const struct refresh_token *token, const char *message,
                struct session *ret_session, struct token_pair *ret_pair);

#endif
