/* SPDX-License-Identifier: MIT */
/* GET, PATCH and DELETE /api/v1/auth/me */
#include "audit.h"
#include "confirm.h"
#include "credentials.h"

const struct bp_field me_reply[] = {
    BP_UUID(struct account, id),
    BP_TEXT(struct account, email),
    BP_TEXT(struct account, role, .doc = "user or admin."),
    BP_DATE(struct account, created_at),
    BP_END,
};

struct me_update {
    bp_str email, current_password;
};

const struct bp_field me_update_body[] = {
    BP_TEXT(struct me_update, email, .flags = BP_REQUIRED | BP_LOWER, .check = email_check, .patterns = email_patterns,
            .doc = "The new address to log in with; lower-cased.", .example = "ada@example.com"),
    BP_TEXT(struct me_update, current_password, .flags = BP_REQUIRED | BP_SECRET, .example = "Correct-Horse-7"),
    BP_END,
};

struct me_delete {
    bp_str current_password;
};

const struct bp_field me_delete_body[] = {
    BP_TEXT(struct me_delete, current_password, .flags = BP_REQUIRED | BP_SECRET, .example = "Correct-Horse-7"),
    BP_END,
};

static int never_store(struct bp_request *rq)
{
    return bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
}

int me_get(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct account account;
    int status = never_store(rq);
    if (status == 0)
        status = account_find(auth->db, &bp_identity(rq)->user_id, bp_arena(rq), &account);
    if (status == ACCOUNT_E_MISSING)
        return identity_gone(auth, rq);
    if (status < 0)
        return bp_trace(status);
    return bp_reply_object(rq, 200, "Account retrieved successfully", me_reply, &account);
}

int me_update(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct me_update body;
    struct account account;
    int status = never_store(rq);
    if (status == 0)
        status = bp_body_object(rq, me_update_body, &body);
    if (status == 0)
        status = confirm_password(auth, rq, body.current_password, &account);
    if (status == 0)
        status = account_set_email(auth->db, &account.id, account.password_hash, body.email, bp_date_now());
    if (status == ACCOUNT_E_TAKEN)
        return bp_fail(rq, 409, "auth.email_taken", "Email is already registered");
    if (status == ACCOUNT_E_MISSING)
        return bp_fail(rq, 409, "auth.changed", "The account was changed at the same time");
    if (status < 0)
        return bp_trace(status);
    audit(auth, "auth.email_changed", "The e-mail address of an account was changed", AUDIT_OK, &account.id);
    account.email = body.email;
    return bp_reply_object(rq, 200, "Account updated successfully", me_reply, &account);
}

/* With all that refers to it; nothing of that is left in a cache either. */
static int delete_all(const struct auth *auth, const struct account *account)
{
    struct bp_tx *tx;
    int status = bp_db_begin(auth->db, &tx);
    if (status != 0)
        return status;
    status = owned_tags_touch(&auth->owned_tags, auth->db, tx, &account->id);
    if (status == 0)
        status = account_delete(auth->db, tx, &account->id, account->password_hash);
    if (status == 0)
        return bp_db_commit(auth->db, tx);
    bp_db_rollback(auth->db, tx);
    return status;
}

int me_delete(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct me_delete body;
    struct account account;
    int status = never_store(rq);
    if (status == 0)
        status = bp_body_object(rq, me_delete_body, &body);
    if (status == 0)
        status = confirm_password(auth, rq, body.current_password, &account);
    if (status == 0)
        status = delete_all(auth, &account);
    if (status == ACCOUNT_E_MISSING)
        return bp_fail(rq, 409, "auth.changed", "The account was changed at the same time");
    if (status < 0)
        return bp_trace(status);
    audit(auth, "auth.account_deleted", "An account was deleted by its owner", AUDIT_OK, &account.id);
    forget_token(auth, rq);
    return bp_reply_message(rq, 200, "Account deleted successfully");
}
