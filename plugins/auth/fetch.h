/* SPDX-License-Identifier: MIT */
/* A small document from another server, by HTTPS, off the loop. */
#ifndef AUTH_FETCH_H
#define AUTH_FETCH_H

#include "backplane/arena.h"

#define FETCH_BYTES_MAX 262144u
#define FETCH_WHY 256u

/* Suspends, ten seconds at most. No redirects, no more than FETCH_BYTES_MAX. ca_file: NULL for the system's authorities. 0 with *ret_body in the arena;
 * BP_ERROR with the reason in ret_why; or BP_BUSY, BP_CANCELED, BP_TIMEOUT, BP_NOMEM. */
int fetch(const char *url, const char *ca_file, struct bp_arena *arena, bp_str *ret_body, char ret_why[FETCH_WHY]);

#endif
