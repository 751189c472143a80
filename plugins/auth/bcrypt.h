/* SPDX-License-Identifier: MIT */
/* Hashes of the system before this one, which an import brought. None is made here. */
#ifndef AUTH_BCRYPT_H
#define AUTH_BCRYPT_H

#include "backplane/str.h"

/* "$2a$", "$2b$" or "$2y$", then a cost, salt and hash. */
bool bcrypt_is(const char *hash);
/* As long as the cost in the hash says: not on the loop. Whoever made the hash saw 72 bytes of the password at most, so no more of it
 * counts here. BP_NOMEM or 0. */
int bcrypt_verify(bp_str password, const char *hash, bool *ret_matches);

#endif
