/* SPDX-License-Identifier: MIT */
/* POST /api/v1/auth/password */
#include "audit.h"
#include "confirm.h"
#include "credentials.h"
#include "issue.h"
#include "password_rules.h"

struct password_change {
    bp_str current_password, new_password;
};

const struct bp_field password_body[] = {
    BP_TEXT(struct password_change, current_password, .flags = BP_REQUIRED | BP_SECRET, .example = "Correct-Horse-7"),
    BP_TEXT(struct password_change, new_password, .flags = BP_REQUIRED | BP_SECRET, .min = 8, .max = 128,
            .example = "Battery-Staple-8", .doc = NEW_PASSWORD_DOC),
    BP_END,
};

/* All or nothing: the new password, no session of the old one, and a new session for who asked. */
static int change(struct auth *auth, struct bp_request *rq, const struct account *account, const char *hash,
                  struct token_pair *ret_pair)
{
    struct bp_tx *tx;
    int status = bp_db_begin(auth->db, &tx);
    if (status != 0)
        return status;
    status = account_set_password(auth->db, tx, &account->id, account->password_hash, bp_str_of(hash), bp_date_now());
    if (status == 0)
        status = session_end_all(auth->db, tx, &account->id);
    if (status == 0)
        status = issue_new(auth, rq, tx, &account->id, "Password changed successfully", ret_pair);
    if (status == 0)
        return bp_db_commit(auth->db, tx);
    bp_db_rollback(auth->db, tx);
    return status;
}

int password_change(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct password_change body;
    struct account account;
    struct token_pair pair;
    char hash[PASSWORD_HASH_SIZE];
    int status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    if (status == 0)
        status = body_with_password(auth, rq, password_body, &password_body[1], &body);
    if (status == 0)
        status = confirm_password(auth, rq, body.current_password, &account);
    if (status == 0)
        status = password_hash(&auth->slots, body.new_password, hash);
    if (status == 0)
        status = change(auth, rq, &account, hash, &pair);
    if (status > 0) /* another change was faster, or the account is gone or disabled */
        return bp_fail(rq, 409, "auth.changed", "The account was changed at the same time");
    if (status < 0)
        return bp_trace(status);
    audit(auth, "auth.password_changed", "A password was changed", AUDIT_OK, &account.id);
    forget_token(auth, rq);
    return bp_reply_json(rq, 200, token_reply, &pair);
}
