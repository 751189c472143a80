/* SPDX-License-Identifier: MIT */
#include "password_rules.h"

#include "common_password.h"

int password_allow(const struct auth *auth, struct bp_request *rq, bp_str password)
{
    if (!auth->refuse_common_passwords || !password_is_common(password))
        return 0;
    int status = bp_fail(rq, 400, "password.common", "Validation failed: Password is too common");
    return status < 0 ? status : BP_REFUSED;
}
