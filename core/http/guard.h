/* SPDX-License-Identifier: MIT */
/* Roles and scopes: who may use a route. Pure. */
#ifndef CORE_HTTP_GUARD_H
#define CORE_HTTP_GUARD_H

#include "backplane/route.h"

/* identity may be NULL. */
bool guard_admits(const struct bp_route *route, const struct bp_identity *identity);

#endif
