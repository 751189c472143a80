/* SPDX-License-Identifier: MIT */
#include "audit.h"

static const char *const outcomes[] = {[AUDIT_OK] = "ok", [AUDIT_FAILED] = "failed", [AUDIT_DENIED] = "denied"};

void audit(const struct auth *auth, const char *event, const char *message, enum audit_outcome outcome,
           const bp_uuid *user_id)
{
    char id[BP_UUID_LEN];
    if (user_id)
        bp_uuid_format(user_id, id);
    bp_audit(auth->host, event, message, bp_log_cstr("outcome", outcomes[outcome]),
             user_id ? bp_log_str("user_id", bp_str_n(id, sizeof(id))) : bp_log_end());
}

void audit_by(const struct auth *auth, struct bp_request *rq, const char *event, const char *message,
              const char *target_name, const bp_uuid *target)
{
    char id[BP_UUID_LEN], target_id[BP_UUID_LEN];
    bp_uuid_format(&bp_identity(rq)->user_id, id);
    bp_uuid_format(target, target_id);
    bp_audit(auth->host, event, message, bp_log_cstr("outcome", outcomes[AUDIT_OK]),
             bp_log_str("user_id", bp_str_n(id, sizeof(id))),
             bp_log_str(target_name, bp_str_n(target_id, sizeof(target_id))));
}
