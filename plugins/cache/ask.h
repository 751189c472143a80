/* SPDX-License-Identifier: MIT */
/* What a request asks of the cache. */
#ifndef CACHE_ASK_H
#define CACHE_ASK_H

#include "cache.h"

struct ask {
    bool read; /* a kept reply will do */
    bool fill; /* the reply may be kept */
    struct digest digest;
};

/* For a GET or HEAD of a route with a tag. */
void ask_of(struct bp_request *rq, const struct cache *cache, const struct cache_stage *stage, struct ask *ret_ask);
/* The names of fields that the key holds, or that decide the identity it holds: what a reply may vary by. */
bool ask_covers_vary(const struct bp_request *rq, const struct cache_stage *stage, bp_str vary);

#endif
