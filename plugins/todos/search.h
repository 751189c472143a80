/* SPDX-License-Identifier: MIT */
/* Full-text search. Texts are indexed when somebody searches: writing a todo costs nothing for it. */
#ifndef TODOS_SEARCH_H
#define TODOS_SEARCH_H

#include "backplane/iface/database.h"

/* Indexes what this account has written since it searched last. Suspends. 0 or a negative status. */
int search_refresh(struct bp_service db, const bp_uuid *owner, struct bp_arena *arena);

#endif
