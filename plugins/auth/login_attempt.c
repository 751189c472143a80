/* SPDX-License-Identifier: MIT */
#include "login_attempt.h"
#include "audit.h"

#include <stdio.h>

#include "login_address.h"

static int refuse(const struct auth *auth, struct bp_request *rq, const bp_uuid *user_id, bp_span retry_in)
{
    char seconds[24];
    int len = snprintf(seconds, sizeof(seconds), "%lld", (long long)((retry_in - 1) / BP_SECOND + 1));
    audit(auth, "auth.locked_out", "A login was refused after too many failures", AUDIT_DENIED, user_id);
    int status = bp_header_set(rq, BP_STR("Retry-After"), bp_str_n(seconds, (size_t)len));
    if (status == 0)
        status = bp_fail(rq, 429, "auth.too_many_failures", "Too many failed logins. Please try again later.");
    return status < 0 ? status : BP_REFUSED;
}

int login_attempt_begin(struct auth *auth, struct bp_request *rq, bp_str email, const bp_uuid *user_id,
                        struct login_attempt *ret_attempt)
{
    bool familiar = false;
    bp_span retry_in = 0;
    *ret_attempt = (struct login_attempt){.address = throttle_address_of(bp_request_client_bytes(rq))};
    if (auth->throttle.max_failures == 0)
        return 0;
    int status = login_address_is_familiar(auth->db, user_id, &ret_attempt->address, bp_date_now(), &familiar);
    if (status < 0)
        return bp_trace(status);
    status = throttle_begin(&auth->throttle, email, &ret_attempt->address, familiar, &ret_attempt->attempt, &retry_in);
    return status == THROTTLE_E_LIMITED ? refuse(auth, rq, user_id, retry_in) : status;
}

void login_attempt_succeeded(struct auth *auth, const struct login_attempt *attempt, const bp_uuid *user_id)
{
    if (auth->throttle.max_failures == 0)
        return;
    throttle_succeeded(&auth->throttle, &attempt->attempt);
    /* Not worth failing a login for: the next one tries again. */
    int status = login_address_note(auth->db, user_id, &attempt->address, bp_date_now());
    if (status != 0 && status != BP_CANCELED)
        bp_log(auth->host, BP_LOG_WARN, "auth.address_not_noted", "The address of a login could not be stored",
               bp_log_cstr("status", status < 0 ? bp_status_name(status) : "constraint"));
}

int login_attempt_broken(struct auth *auth, const struct login_attempt *attempt, int status)
{
    if (status == BP_BUSY || status == BP_NOMEM)
        throttle_undo(&auth->throttle, &attempt->attempt);
    return status;
}
