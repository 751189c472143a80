/* SPDX-License-Identifier: MIT */
/* What a new password must be besides what the rows of its body ask for: that is up to options. */
#ifndef AUTH_PASSWORD_RULES_H
#define AUTH_PASSWORD_RULES_H

#include "auth.h"

#define NEW_PASSWORD_DOC                                                                                              \
    "Unless the server is configured otherwise, with an uppercase letter, a lowercase letter, a digit and a special " \
    "character."

/* bp_body_object(), where row is that of the new password. */
int body_with_password(const struct auth *auth, struct bp_request *rq, const struct bp_field *rows,
                       const struct bp_field *row, void *ret_object);

#endif
