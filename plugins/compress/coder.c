/* SPDX-License-Identifier: MIT */
#include "coder.h"

#include <brotli/encode.h>
#include <limits.h>
#include <zlib.h>

#define GZIP_HEAD 16 /* added to the window: with the head and checksum of gzip (zlib.h, deflateInit2) */
#define MEMORY_LEVEL 8

/* A small body needs no large window. */
static int window_of(size_t len)
{
    int bits = 9;
    while (bits < 15 && ((size_t)1 << bits) < len)
        bits++;
    return bits;
}

static int run_gzip(struct coder_job *job)
{
    z_stream stream = {0};
    if (job->in.len > UINT_MAX || deflateInit2(&stream, (int)job->level, Z_DEFLATED, window_of(job->in.len) + GZIP_HEAD,
                                               MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return 1;
    stream.next_in = (z_const Bytef *)(uintptr_t)job->in.ptr;
    stream.avail_in = (uInt)job->in.len;
    stream.next_out = (Bytef *)job->out;
    stream.avail_out = (uInt)(job->in.len - 1);
    int result = deflate(&stream, Z_FINISH);
    job->len = stream.total_out;
    (void)deflateEnd(&stream);
    return result == Z_STREAM_END ? 0 : 1;
}

static int run_brotli(struct coder_job *job)
{
    job->len = job->in.len - 1;
    return BrotliEncoderCompress((int)job->level, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, job->in.len,
                                 (const uint8_t *)job->in.ptr, &job->len, (uint8_t *)job->out)
               ? 0
               : 1;
}

int coder_run(void *argument)
{
    struct coder_job *job = argument;
    if (job->in.len < 2)
        return 1;
    return job->coding == CODING_GZIP ? run_gzip(job) : run_brotli(job);
}
