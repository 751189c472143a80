/* SPDX-License-Identifier: MIT */
#ifndef LISTS_LISTS_H
#define LISTS_LISTS_H

#include "backplane/backplane.h"

struct lists {
    struct bp_service db, identity, todos;
};

/* Query of a deletion. */
enum removal { REMOVAL_KEEP, REMOVAL_DELETE };
struct removal_query {
    uint32_t todos; /* enum removal */
};
extern const struct bp_field removal_query[];

/* DELETE of a list, and of what is in it. */
bp_handler lists_remove;

#endif
