/* SPDX-License-Identifier: MIT */
/* From the reply that a request has recorded to one that can be kept. */
#ifndef CACHE_REPLY_OF_H
#define CACHE_REPLY_OF_H

#include "ask.h"
#include "record.h"

/* What the stages behind the cache and the handler have recorded, with an ETag (set on the request, too, when the handler set none). In the
 * arena. False, with nothing set, when it must not be kept for anybody: not 200, a stream, Set-Cookie, no-store, private without an
 * identity, Vary by something the key does not hold, or no memory. */
bool reply_of(struct bp_request *rq, const struct cache_stage *stage, struct reply *ret_reply);

#endif
