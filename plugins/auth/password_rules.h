/* SPDX-License-Identifier: MIT */
/* What a new password must be besides what the rows of its body ask for. */
#ifndef AUTH_PASSWORD_RULES_H
#define AUTH_PASSWORD_RULES_H

#include "auth.h"

/* 0, or BP_REFUSED when 400 was recorded. */
int password_allow(const struct auth *auth, struct bp_request *rq, bp_str password);

#endif
