/* SPDX-License-Identifier: MIT */
/* Which addresses a guarded request may connect to: those of the public internet, and the exceptions that are configured. Pure. */
#ifndef HTTP_CLIENT_GUARD_H
#define HTTP_CLIENT_GUARD_H

#include <sys/socket.h>

#include "backplane/field.h"
#include "backplane/network.h"

#define GUARD_SPECIAL 24u
#define GUARD_EXCEPTIONS 64u

struct guard {
    struct bp_network special[GUARD_SPECIAL], exceptions[GUARD_EXCEPTIONS];
    size_t special_count, exception_count;
};

/* texts: of bp_str, each some networks with commas between them. NULL, or what is wrong with the network in *ret_which, to be put behind it. */
const char *guard_init(struct guard *guard, struct bp_array texts, bp_str *ret_which);
bool guard_allows(const struct guard *guard, const struct sockaddr *address);

#endif
