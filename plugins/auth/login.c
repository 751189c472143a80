/* SPDX-License-Identifier: MIT */
/* POST /api/v1/auth/login */
#include "account.h"
#include "audit.h"
#include "auth.h"
#include "credentials.h"
#include "issue.h"
#include "login_attempt.h"

const struct bp_field login_body[] = {
    BP_TEXT(struct credentials, email, .flags = BP_REQUIRED | BP_LOWER, .check = email_check,
            .patterns = email_patterns, .example = "ada@example.com"),
    BP_TEXT(struct credentials, password, .flags = BP_REQUIRED | BP_SECRET, .example = "Correct-Horse-7"),
    BP_END,
};

static const struct bp_field user_fields[] = {
    BP_UUID(struct account, id),
    BP_TEXT(struct account, email),
    BP_END,
};

const struct bp_field login_reply[] = {
    BP_BOOL(struct token_pair, success),
    BP_TEXT(struct token_pair, message),
    BP_TEXT(struct token_pair, token, .doc = "To be sent as Authorization: Bearer."),
    BP_TEXT(struct token_pair, refresh_token, .doc = "For POST refresh, once."),
    BP_I64(struct token_pair, expires_in, .doc = "Seconds until the token expires."),
    BP_OBJECT(struct token_pair, user, user_fields),
    BP_END,
};

/* Moves an account to today's hash parameters. Not worth failing a login for: the next one tries again. */
static void renew_hash(const struct auth *auth, const struct account *account, const char *new_hash)
{
    int status = account_renew_hash(auth->db, &account->id, account->password_hash, bp_str_of(new_hash), bp_date_now());
    if (status != 0)
        bp_log(auth->host, BP_LOG_WARN, "auth.rehash_failed", "A password could not be hashed anew",
               bp_log_cstr("status", status < 0 ? bp_status_name(status) : "constraint"));
}

/* Nor this: what has expired only takes room. */
static void trim_sessions(const struct auth *auth, const bp_uuid *user_id)
{
    int status = session_trim(auth->db, user_id, bp_date_now(), auth->sessions_max);
    if (status < 0)
        bp_log(auth->host, BP_LOG_WARN, "auth.trim_failed", "Old sessions of an account could not be removed",
               bp_log_cstr("status", bp_status_name(status)));
}

/* user_id: NULL: of no account. */
static int refuse(struct bp_request *rq, const struct auth *auth, const bp_uuid *user_id)
{
    attempt_count(auth, LOGIN_FAILED);
    audit(auth, "auth.login", "A login failed", AUDIT_FAILED, user_id);
    return bp_fail(rq, 401, "auth.bad_credentials", "Invalid email or password");
}

int login(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct credentials credentials;
    struct account account;
    struct password_check check;
    struct login_attempt attempt;
    int status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    if (status == 0)
        status = bp_body_object(rq, login_body, &credentials);
    if (status < 0)
        return bp_trace(status);

    status = account_find_by_email(auth->db, credentials.email, bp_arena(rq), &account);
    if (status < 0)
        return bp_trace(status);
    bool known = status == 0;
    status = login_attempt_begin(auth, rq, credentials.email, known ? &account.id : NULL, &attempt);
    if (status == BP_REFUSED)
        attempt_count(auth, LOGIN_LOCKED_OUT);
    if (status < 0)
        return bp_trace(status);
    /* An unknown address takes as long as a known one. */
    status = password_verify(&auth->slots, credentials.password,
                             known ? account.password_hash : bp_str_of(auth->dummy_hash), &check);
    if (status < 0)
        return bp_trace(login_attempt_broken(auth, &attempt, status));
    if (!known || !check.matches)
        return refuse(rq, auth, known ? &account.id : NULL);
    login_attempt_succeeded(auth, &attempt, &account.id);
    if (account.disabled) { /* said to who knows the password only */
        attempt_count(auth, LOGIN_DISABLED);
        audit(auth, "auth.login", "A login of a disabled account was refused", AUDIT_DENIED, &account.id);
        return bp_fail(rq, 403, "auth.disabled", "Account is disabled");
    }
    if (check.renewed)
        renew_hash(auth, &account, check.new_hash);

    struct token_pair reply;
    status = issue_new(auth, rq, NULL, &account.id, "Login successful", &reply);
    if (status == SESSION_E_MISSING) /* deleted or disabled at the same moment */
        return refuse(rq, auth, &account.id);
    if (status < 0)
        return bp_trace(status);
    attempt_count(auth, LOGIN_OK);
    audit(auth, "auth.login", "Logged in", AUDIT_OK, &account.id);
    reply.user = account;
    trim_sessions(auth, &account.id);
    return bp_reply_json(rq, 200, login_reply, &reply);
}
