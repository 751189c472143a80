/* SPDX-License-Identifier: MIT */
/* POST /api/v1/auth/password/forgot, password/reset and verify */
#include "audit.h"
#include "by_mail.h"
#include "credentials.h"
#include "password_rules.h"
#include "session.h"

struct forgot {
    bp_str email;
};

const struct bp_field forgot_body[] = {
    BP_TEXT(struct forgot, email, .flags = BP_REQUIRED | BP_LOWER, .check = email_check, .patterns = email_patterns,
            .example = "ada@example.com"),
    BP_END,
};

struct reset {
    bp_str token, password;
};

const struct bp_field reset_body[] = {
    BP_TEXT(struct reset, token, .flags = BP_REQUIRED | BP_SECRET, .max = 200, .doc = "From the message."),
    BP_TEXT(struct reset, password, .flags = BP_REQUIRED | BP_SECRET, .min = 8, .max = 128,
            .example = "Battery-Staple-8", .doc = NEW_PASSWORD_DOC),
    BP_END,
};

const struct bp_field verify_body[] = {
    BP_TEXT(struct reset, token, .flags = BP_REQUIRED | BP_SECRET, .max = 200, .doc = "From the message."),
    BP_END,
};

static int never_store(struct bp_request *rq)
{
    return bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
}

static int decode(struct bp_request *rq, const struct bp_field *rows, void *ret_object)
{
    int status = never_store(rq);
    return status < 0 ? status : bp_body_object(rq, rows, ret_object);
}

static int refuse(struct bp_request *rq)
{
    return bp_fail(rq, 400, "auth.invalid_mailed_token", "Invalid or expired token");
}

int password_forgot(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    struct forgot body;
    (void)stage;
    int status = decode(rq, forgot_body, &body);
    if (status < 0)
        return bp_trace(status);
    if (!auth->mailer.vtable)
        return bp_fail(rq, 501, "auth.no_mailer", "This server sends no mail");
    status = by_mail_send(auth, MAILED_RESET, body.email);
    if (status < 0)
        return bp_trace(status);
    return bp_reply_message(rq, 202, "If there is an account of that address, a message is on its way");
}

/* All or nothing: the token is used up, the password is new, and every session has ended. */
static int reset(const struct auth *auth, bp_str token, const struct mailed_owner *owner, const char *hash)
{
    struct bp_tx *tx;
    bp_date now = bp_date_now();
    int status = bp_db_begin(auth->db, &tx);
    if (status != 0)
        return status;
    status = mailed_token_use(auth->db, tx, MAILED_RESET, token, now);
    if (status == 0)
        status = mailed_token_set_password(auth->db, tx, owner, hash, now);
    if (status == 0)
        status = session_end_all(auth->db, tx, &owner->user_id);
    if (status == 0)
        return bp_db_commit(auth->db, tx);
    bp_db_rollback(auth->db, tx);
    return status;
}

int password_reset(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    struct reset body;
    struct mailed_owner owner;
    char hash[PASSWORD_HASH_SIZE];
    (void)stage;
    int status = never_store(rq);
    if (status == 0)
        status = body_with_password(auth, rq, reset_body, &reset_body[1], &body);
    if (status == 0)
        status = mailed_token_find(auth->db, MAILED_RESET, body.token, bp_date_now(), bp_arena(rq), &owner);
    if (status == 0)
        status = password_hash(&auth->slots, body.password, hash);
    if (status == 0)
        status = reset(auth, body.token, &owner, hash);
    if (status > 0)
        return refuse(rq);
    if (status < 0)
        return bp_trace(status);
    audit(auth, "auth.password_reset", "A password was reset with a mailed token", AUDIT_OK, &owner.user_id);
    /* Whoever failed before cannot keep the owner out now. */
    throttle_forgive(&auth->throttle, owner.email);
    return bp_reply_message(rq, 200, "Password reset successfully");
}

static int confirm_address(const struct auth *auth, bp_str token, const struct mailed_owner *owner)
{
    struct bp_tx *tx;
    bp_date now = bp_date_now();
    int status = bp_db_begin(auth->db, &tx);
    if (status != 0)
        return status;
    status = mailed_token_use(auth->db, tx, MAILED_VERIFY, token, now);
    if (status == 0)
        status = mailed_token_verified(auth->db, tx, owner, now);
    if (status == 0)
        return bp_db_commit(auth->db, tx);
    bp_db_rollback(auth->db, tx);
    return status;
}

int email_verify(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    struct reset body;
    struct mailed_owner owner;
    (void)stage;
    int status = decode(rq, verify_body, &body);
    if (status == 0)
        status = mailed_token_find(auth->db, MAILED_VERIFY, body.token, bp_date_now(), bp_arena(rq), &owner);
    if (status == 0)
        status = confirm_address(auth, body.token, &owner);
    if (status > 0)
        return refuse(rq);
    if (status < 0)
        return bp_trace(status);
    audit(auth, "auth.email_verified", "The e-mail address of an account was verified", AUDIT_OK, &owner.user_id);
    return bp_reply_message(rq, 200, "E-mail address verified successfully");
}
