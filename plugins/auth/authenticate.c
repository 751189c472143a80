/* SPDX-License-Identifier: MIT */
/* The middleware: who is asking, by the Bearer token of the request (RFC 6750). */
#include "account.h"
#include "auth.h"
#include "authenticate_key.h"
#include "backplane/iface/identity.h"
#include "foreign_token.h"
#include "token.h"

static int refuse(struct bp_request *rq, const char *code, const char *message, bp_str challenge)
{
    int status = bp_header_set(rq, BP_STR("WWW-Authenticate"), challenge);
    return status < 0 ? bp_trace(status) : bp_fail(rq, 401, code, message);
}

/* Without credentials a challenge holds no error code (RFC 6750 3.1). */
static int refuse_missing(const struct auth *auth, struct bp_request *rq)
{
    attempt_count(auth, TOKEN_MISSING);
    return refuse(rq, "auth.required", "Authentication required", BP_STR("Bearer realm=\"api\""));
}

/* One answer for all that may be wrong with a token. */
static int refuse_token(const struct auth *auth, struct bp_request *rq, enum attempt attempt)
{
    attempt_count(auth, attempt);
    return refuse(rq, "auth.invalid_token", "Invalid or expired token",
                  BP_STR("Bearer realm=\"api\", error=\"invalid_token\", "
                         "error_description=\"Invalid or expired token\""));
}

/* By the keys of who made it. */
static int verify(struct auth *auth, bp_str text, bp_date now, struct claims *ret_claims)
{
    struct token token;
    int status = token_open(text, &token);
    if (status != 0)
        return status;
    struct issuer *issuer = issuer_find(auth->issuer, auth->issuers.len, token_text(token.payload, "iss"));
    status = issuer ? foreign_token_verify(auth, issuer, &token, now, ret_claims)
                    : token_check_own(&auth->key_ring, &token, now, ret_claims);
    token_close(&token);
    return status;
}

/* From memory, or by verifying it. May suspend. 0, a negative status or a positive condition. */
static int recognise(struct auth *auth, struct bp_request *rq, bp_str token, struct remembered *ret_known)
{
    struct token_digest digest = token_memory_digest(&auth->memory, token);
    bp_date now = bp_request_date(rq);
    if (token_memory_find(&auth->memory, &digest, ret_known))
        return ret_known->claims.expires <= now ? CLAIMS_E_EXPIRED : 0;
    *ret_known = (struct remembered){.digest = digest};
    return verify(auth, token, now, &ret_known->claims);
}

/* A token says who its account was; whether there is one still, and its session, and what it may do, only the database says. 0,
 * ACCOUNT_E_MISSING or a negative status. Suspends. */
static int check_account(struct auth *auth, struct bp_request *rq, struct remembered *known, bool fresh)
{
    bp_str role;
    const struct claims *claims = &known->claims;
    int status = account_check(auth->db, &claims->user_id, claims->has_session ? &claims->session_id : NULL,
                               claims->issued, fresh, bp_arena(rq), &role);
    if (status == ACCOUNT_E_MISSING)
        token_memory_forget(&auth->memory, &known->digest);
    if (status != 0)
        return status;
    memset(known->role, 0, sizeof(known->role));
    memcpy(known->role, role.ptr, role.len < sizeof(known->role) ? role.len : sizeof(known->role) - 1);
    known->account_until = bp_now(rq) + auth->account_check_interval;
    token_memory_put(&auth->memory, known);
    return 0;
}

/* With an API key: no session, and what the key is limited to. */
static int authenticate_key(struct auth *auth, struct bp_request *rq, bp_str key)
{
    struct bp_identity identity;
    bp_date expires;
    int status = api_key_identify(auth, rq, key, false, &identity, &expires);
    if (status > 0)
        return refuse_token(auth, rq, KEY_INVALID);
    if (status == 0) {
        attempt_count(auth, KEY_OK);
        status = bp_set_identity(rq, &identity);
        bp_set_identity_expires(rq, expires);
    }
    return status < 0 ? bp_trace(status) : bp_next(rq);
}

int authenticate(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    bp_str token;
    struct remembered known;
    if (api_key_of(rq, &token))
        return authenticate_key(auth, rq, token);
    if (!bearer_token(bp_request_header(rq, BP_STR("authorization")), &token))
        return refuse_missing(auth, rq);
    int recognised = recognise(auth, rq, token, &known);
    if (recognised < 0)
        return bp_trace(recognised);
    if (recognised != 0)
        return refuse_token(auth, rq, recognised == CLAIMS_E_EXPIRED ? TOKEN_EXPIRED : TOKEN_INVALID);
    if (known.account_until <= bp_now(rq)) {
        int status = check_account(auth, rq, &known, false);
        if (status == ACCOUNT_E_MISSING)
            return refuse_token(auth, rq, TOKEN_ENDED);
        if (status < 0)
            return bp_trace(status);
    }
    attempt_count(auth, TOKEN_OK);
    *(struct auth_slot *)bp_slot(rq, auth->slot) =
        (struct auth_slot){.session_id = known.claims.session_id, .has_session = known.claims.has_session};
    struct bp_identity identity = {.user_id = known.claims.user_id, .role = bp_str_of(known.role)};
    int status = bp_set_identity(rq, &identity);
    if (status < 0)
        return bp_trace(status);
    bp_set_identity_expires(rq, known.claims.expires);
    return bp_next(rq);
}

const bp_uuid *request_session(const struct auth *auth, struct bp_request *rq)
{
    const struct auth_slot *slot = bp_slot(rq, auth->slot);
    return slot->has_session ? &slot->session_id : NULL;
}

void forget_token(struct auth *auth, struct bp_request *rq)
{
    bp_str token;
    if (bearer_token(bp_request_header(rq, BP_STR("authorization")), &token)) {
        struct token_digest digest = token_memory_digest(&auth->memory, token);
        token_memory_forget(&auth->memory, &digest);
    }
}

int identity_gone(void *self, struct bp_request *rq)
{
    forget_token(self, rq);
    return refuse_token(self, rq, TOKEN_ENDED);
}

int identity_check(void *self, struct bp_request *rq)
{
    struct auth *auth = self;
    struct bp_identity identity;
    struct remembered known;
    bp_str token;
    bp_date expires;
    int status;
    if (api_key_of(rq, &token)) {
        status = api_key_identify(auth, rq, token, true, &identity, &expires);
    } else {
        if (!bearer_token(bp_request_header(rq, BP_STR("authorization")), &token))
            return 0;
        status = recognise(auth, rq, token, &known);
        if (status == 0)
            status = check_account(auth, rq, &known, true);
    }
    return status > 0 ? BP_IDENTITY_E_GONE : bp_trace(status);
}
