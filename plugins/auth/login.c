/* SPDX-License-Identifier: MIT */
/* POST /api/v1/auth/login */
#include "account.h"
#include "auth.h"
#include "credentials.h"
#include "login_attempt.h"
#include "token.h"

const struct bp_field login_body[] = {
    BP_TEXT(struct credentials, email, .flags = BP_REQUIRED | BP_LOWER, .check = email_check,
            .example = "ada@example.com"),
    BP_TEXT(struct credentials, password, .flags = BP_REQUIRED | BP_SECRET, .example = "Correct-Horse-7"),
    BP_END,
};

struct logged_in {
    bool success;
    bp_str message;
    bp_str token;
    struct account user;
};

static const struct bp_field user_fields[] = {
    BP_UUID(struct account, id),
    BP_TEXT(struct account, email),
    BP_END,
};

const struct bp_field login_reply[] = {
    BP_BOOL(struct logged_in, success),
    BP_TEXT(struct logged_in, message),
    BP_TEXT(struct logged_in, token, .doc = "To be sent as Authorization: Bearer."),
    BP_OBJECT(struct logged_in, user, user_fields),
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
    if (status < 0)
        return bp_trace(status);
    /* An unknown address takes as long as a known one. */
    status = password_verify(&auth->slots, credentials.password,
                             known ? account.password_hash : bp_str_of(auth->dummy_hash), &check);
    if (status < 0)
        return bp_trace(login_attempt_broken(auth, &attempt, status));
    if (!known || !check.matches)
        return bp_fail(rq, 401, "auth.bad_credentials", "Invalid email or password");
    login_attempt_succeeded(auth, &attempt, &account.id);
    if (check.renewed)
        renew_hash(auth, &account, check.new_hash);

    struct logged_in reply = {.success = true, .message = BP_STR("Login successful"), .user = account};
    status = token_make(auth->secret, &account.id, bp_date_now(), auth->expires_in, bp_arena(rq), &reply.token);
    if (status < 0)
        return bp_trace(status);
    return bp_reply_json(rq, 200, login_reply, &reply);
}
