/* SPDX-License-Identifier: MIT */
#ifndef PLUGINS_COMPRESS_H
#define PLUGINS_COMPRESS_H

#include "backplane/backplane.h"

struct compress_stage {
    struct bp_array types; /* of bp_str */
    uint64_t min_size, max_size, offload;
    uint32_t gzip, brotli; /* levels; 0: not offered */
    bool secrets;
};

/* The middleware. */
int compress_serve(struct bp_request *rq, void *self, const void *stage);

#endif
