/* SPDX-License-Identifier: MIT */
#include "confirm.h"
#include "audit.h"

#include "login_attempt.h"

int confirm_password(struct auth *auth, struct bp_request *rq, bp_str password, struct account *ret_account)
{
    struct password_check check;
    struct login_attempt attempt;
    int status = account_find(auth->db, &bp_identity(rq)->user_id, bp_arena(rq), ret_account);
    if (status == ACCOUNT_E_MISSING) {
        status = identity_gone(auth, rq);
        return status < 0 ? status : BP_REFUSED;
    }
    if (status == 0)
        status = login_attempt_begin(auth, rq, ret_account->email, &ret_account->id, &attempt);
    if (status != 0)
        return status;
    status = password_verify(&auth->slots, password, ret_account->password_hash, &check);
    if (status < 0)
        return login_attempt_broken(auth, &attempt, status);
    if (check.matches) {
        login_attempt_succeeded(auth, &attempt, &ret_account->id);
        return 0;
    }
    audit(auth, "auth.confirmation", "The current password was not the right one", AUDIT_FAILED, &ret_account->id);
    status = bp_fail(rq, 403, "auth.wrong_password", "Current password is incorrect");
    return status < 0 ? status : BP_REFUSED;
}
