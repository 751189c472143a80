/* SPDX-License-Identifier: MIT */
/* A reply as it is kept: content type, header lines, body; one piece of bytes, the same in memory and in Redis. */
#ifndef CACHE_RECORD_H
#define CACHE_RECORD_H

#include "backplane/str.h"

/* Slices of a record's bytes, or of what a record shall be made of. */
struct reply {
    bp_str content_type;
    bp_str lines; /* "Name: value\r\n"…, the ETag among them */
    bp_str etag;  /* its value; a slice of lines in a record */
    bp_str body;
    int64_t life; /* milliseconds from storing to the end of any use */
};

/* Bytes of a record; 0 when it cannot be one. */
size_t record_size(const struct reply *reply);
/* Writes record_size() bytes. */
void record_write(const struct reply *reply, char *ret_bytes);
/* False when the bytes are no record of this version. */
bool record_read(bp_str bytes, struct reply *ret_reply);

#endif
