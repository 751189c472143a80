/* SPDX-License-Identifier: MIT */
/* POST /api/v1/auth/sign-up */
#include "account.h"
#include "audit.h"
#include "auth.h"
#include "by_mail.h"
#include "credentials.h"
#include "password_rules.h"

const struct bp_field sign_up_body[] = {
    BP_TEXT(struct credentials, email, .flags = BP_REQUIRED | BP_LOWER, .check = email_check,
            .patterns = email_patterns, .doc = "The address to log in with; lower-cased.",
            .example = "ada@example.com"),
    BP_TEXT(struct credentials, password, .flags = BP_REQUIRED | BP_SECRET, .min = 8, .max = 128,
            .example = "Correct-Horse-7", .doc = NEW_PASSWORD_DOC),
    BP_END,
};

const struct bp_field sign_up_reply[] = {
    BP_UUID(struct account, id),
    BP_TEXT(struct account, email),
    BP_DATE(struct account, created_at),
    BP_END,
};

static int refuse_taken(const struct auth *auth, struct bp_request *rq)
{
    attempt_count(auth, SIGN_UP_TAKEN);
    audit(auth, "auth.sign_up", "A sign-up failed: there is an account of the address", AUDIT_FAILED, NULL);
    return bp_fail(rq, 409, "auth.email_taken", "Email is already registered");
}

int sign_up(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct credentials credentials;
    struct account account;
    char hash[PASSWORD_HASH_SIZE];
    int status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    if (status == 0)
        status = body_with_password(auth, rq, sign_up_body, &sign_up_body[1], &credentials);
    if (status < 0)
        return bp_trace(status);

    /* Spares the hash; the insert decides. */
    status = account_find_by_email(auth->db, credentials.email, bp_arena(rq), &account);
    if (status == 0)
        return refuse_taken(auth, rq);
    if (status != ACCOUNT_E_MISSING)
        return bp_trace(status);

    status = password_hash(&auth->slots, credentials.password, hash);
    if (status < 0)
        return bp_trace(status);
    account = (struct account){.id = bp_uuid_new(),
                               .email = credentials.email,
                               .password_hash = bp_str_of(hash),
                               .role = BP_STR("user"),
                               .created_at = bp_date_now()};
    status = account_create(auth->db, &account);
    if (status == ACCOUNT_E_TAKEN)
        return refuse_taken(auth, rq);
    if (status < 0)
        return bp_trace(status);
    attempt_count(auth, SIGN_UP_OK);
    audit(auth, "auth.sign_up", "An account was made", AUDIT_OK, &account.id);
    /* Not worth failing for: the account is there. */
    if (auth->verify_email && by_mail_send(auth, MAILED_VERIFY, account.email) != 0)
        bp_log(auth->host, BP_LOG_WARN, "auth.verify_not_sent", "No message could be sent to a new account");
    return bp_reply_object(rq, 201, "User registered successfully", sign_up_reply, &account);
}
