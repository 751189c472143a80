/* SPDX-License-Identifier: MIT */
/* Security events of accounts, for the audit log. */
#ifndef AUTH_AUDIT_H
#define AUTH_AUDIT_H

#include "auth.h"

enum audit_outcome { AUDIT_OK, AUDIT_FAILED, AUDIT_DENIED };

/* user_id: whose account it is; NULL: nobody's. */
void audit(const struct auth *auth, const char *event, const char *message, enum audit_outcome outcome,
           const bp_uuid *user_id);
/* The same, where who asks (of the request's identity) changes what is another's: the account, or a key or session of that id. */
void audit_by(const struct auth *auth, struct bp_request *rq, const char *event, const char *message,
              const char *target_name, const bp_uuid *target);

#endif
