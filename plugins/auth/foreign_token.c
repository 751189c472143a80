/* SPDX-License-Identifier: MIT */
#include "foreign_token.h"

#include "audit.h"
#include "foreign_account.h"
#include "foreign_claims.h"

int foreign_token_verify(struct auth *auth, struct issuer *issuer, const struct token *token, bp_date now,
                         struct claims *ret_claims)
{
    const struct issuer_option *option = issuer->option;
    const struct key *key;
    struct foreign_claims foreign;
    bool made = false;
    bp_str id;
    /* What is wrong whatever the keys are costs no fetch. */
    int status = foreign_claims_check(token->payload, option->issuer, option->audience, now, &foreign);
    if (status != 0)
        return status;
    if (!token_key_id(token, &id) || !id.ptr)
        return TOKEN_E_HEADER;
    status = issuer_key(auth->host, auth->http_client, issuer, id, &key);
    if (status == 0)
        status = token_check_signature(token, key);
    if (status != 0)
        return status;

    struct claims claims = {.issued = foreign.issued, .expires = foreign.expires};
    status = foreign_account_find(auth->db, option->issuer, foreign.subject, &claims.user_id);
    if (status == FOREIGN_ACCOUNT_E_MISSING && option->create_users)
        status = foreign_account_create(auth->db, option->issuer, foreign.subject, foreign.email, auth->dummy_hash, now,
                                        &claims.user_id, &made);
    if (made)
        audit(auth, "auth.sign_up", "An account was made for the token of an issuer", AUDIT_OK, &claims.user_id);
    if (status != 0)
        return status;
    *ret_claims = claims;
    return 0;
}
