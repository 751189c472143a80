/* SPDX-License-Identifier: MIT */
/* The 3,000 most common passwords of eight characters or more. Pure. */
#ifndef AUTH_COMMON_PASSWORD_H
#define AUTH_COMMON_PASSWORD_H

#include "backplane/str.h"

/* Whether it is one of them, in whatever case. */
bool password_is_common(bp_str password);

#endif
