/* SPDX-License-Identifier: MIT */
/* Requests with an API key. */
#ifndef AUTH_AUTHENTICATE_KEY_H
#define AUTH_AUTHENTICATE_KEY_H

#include "auth.h"

/* The key of "Authorization: Bearer bpk_…", or without that field, of "X-API-Key". False when there is none. */
bool api_key_of(struct bp_request *rq, bp_str *ret_key);
/* Whose it is, what it is limited to, and until when (0: for ever). fresh: of the primary. 0, API_KEY_E_MISSING, or a negative status. Suspends. */
int api_key_identify(struct auth *auth, struct bp_request *rq, bp_str text, bool fresh,
                     struct bp_identity *ret_identity, bp_date *ret_expires);

#endif
