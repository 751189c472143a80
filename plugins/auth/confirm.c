/* SPDX-License-Identifier: MIT */
#include "confirm.h"

int confirm_password(struct auth *auth, struct bp_request *rq, bp_str password, struct account *ret_account)
{
    struct password_check check;
    int status = account_find(auth->db, &bp_identity(rq)->user_id, bp_arena(rq), ret_account);
    if (status == ACCOUNT_E_MISSING) {
        status = identity_gone(auth, rq);
        return status < 0 ? status : BP_REFUSED;
    }
    if (status == 0)
        status = password_verify(&auth->slots, password, ret_account->password_hash, &check);
    if (status != 0)
        return status;
    if (check.matches)
        return 0;
    status = bp_fail(rq, 403, "auth.wrong_password", "Current password is incorrect");
    return status < 0 ? status : BP_REFUSED;
}
