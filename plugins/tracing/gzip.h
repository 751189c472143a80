/* SPDX-License-Identifier: MIT */
#ifndef TRACING_GZIP_H
#define TRACING_GZIP_H

#include "bytes.h"

struct gzip_job {
    bp_str in;
    struct bytes out; /* from malloc */
};

/* For bp_offload(): compresses in to out (RFC 1952). 0, or -2 (BP_NOMEM). Thread-safe. */
int gzip_run(void *job);

#endif
