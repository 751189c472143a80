/* SPDX-License-Identifier: MIT */
/* What a request with a key asks for: whose key it is, and what of. */
#ifndef PLUGINS_IDEMPOTENCY_ASK_H
#define PLUGINS_IDEMPOTENCY_ASK_H

#include "backplane/backplane.h"

#define ASK_KEY_MAX 255u

struct ask {
    bp_uuid id;          /* a hash of user (or address), route and key */
    bp_uuid fingerprint; /* a hash of method, path, query and body */
    uint64_t lock;       /* the first bytes of id */
};

/* Takes the quotes of a structured field's string (RFC 8941 3.3.3) off: "abc" in quotes and without are one key. False when what is left is not
 * 1 to 255 visible ASCII characters. Pure. */
bool ask_key(bp_str field, bp_str *ret_key);
/* Pure. */
void ask_of(struct bp_request *rq, bp_str key, bp_str body, struct ask *ret_ask);
/* Whether both databases take it as a text: UTF-8 without NUL. Pure. */
bool ask_is_text(bp_str bytes);

#endif
