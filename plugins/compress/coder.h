/* SPDX-License-Identifier: MIT */
/* From bytes to fewer bytes. */
#ifndef PLUGINS_COMPRESS_CODER_H
#define PLUGINS_COMPRESS_CODER_H

#include "accept.h"

struct coder_job {
    enum coding coding;
    uint32_t level;
    bp_str in;
    char *out; /* room for in.len - 1 bytes: what does not get smaller is of no use */
    size_t len;
};

/* 0; or 1 when it did not get smaller, or memory ran out. Thread-safe: a job for bp_offload(). */
int coder_run(void *job);

#endif
