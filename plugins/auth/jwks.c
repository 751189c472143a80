/* SPDX-License-Identifier: MIT */
/* GET /.well-known/jwks.json */
#include "auth.h"

int jwks_get(struct bp_request *rq, void *self, const void *stage)
{
    const struct auth *auth = self;
    (void)stage;
    /* Verifiers keep it; a new key is to be shown for longer than that before it signs. */
    int status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("public, max-age=300"));
    if (status < 0)
        return bp_trace(status);
    return bp_reply_body(rq, 200, BP_STR("application/json"), bp_str_of(auth->public_keys));
}
