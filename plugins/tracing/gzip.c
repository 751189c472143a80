/* SPDX-License-Identifier: MIT */
#include "gzip.h"

#include <zlib.h>

#include "backplane/status.h"

/* Names of attributes repeat themselves so much that a higher level gains next to nothing. */
#define LEVEL 1
#define GZIP_WINDOW (15 + 16) /* the largest, and the frame of gzip */

int gzip_run(void *argument)
{
    struct gzip_job *job = argument;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)job->in.ptr, .avail_in = (uInt)job->in.len};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return BP_NOMEM;
    size_t bound = deflateBound(&stream, (uLong)job->in.len);
    stream.next_out = (Bytef *)bytes_room(&job->out, bound);
    stream.avail_out = (uInt)bound;
    int result = stream.next_out ? deflate(&stream, Z_FINISH) : Z_MEM_ERROR;
    job->out.len = stream.total_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END ? 0 : BP_NOMEM;
}
