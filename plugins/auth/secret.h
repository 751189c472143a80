/* SPDX-License-Identifier: MIT */
/* The signing secret of a server that was given none: made once, kept in a file of its data folder. */
#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include "backplane/str.h"

#define SECRET_MIN 32 /* characters */
#define SECRET_MAX 512
#define SECRET_FILE "jwt-secret"

/* UTF-8 code points. */
size_t secret_characters(bp_str secret);

enum secret_condition {
    SECRET_E_SHORT = 1, /* the file holds fewer than SECRET_MIN characters, or more than SECRET_MAX bytes */
    SECRET_E_EXPOSED    /* others than its owner may read or write it */
};

/* Reads folder/jwt-secret (without white space at its ends), and makes it first when it is missing: several processes may do so
 * at the same time, and all get the same. Blocks. 0; a condition; or -errno. ret_created: this call made it. */
int secret_load(const char *folder, char ret_secret[SECRET_MAX + 1], bool *ret_created);

#endif
