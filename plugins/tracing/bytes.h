/* SPDX-License-Identifier: MIT */
/* Bytes that grow. */
#ifndef TRACING_BYTES_H
#define TRACING_BYTES_H

#include "backplane/str.h"

struct bytes {
    char *ptr;
    size_t len, cap;
    bool failed; /* out of memory: what was added is not all there */
};

/* Room for so many more, len not changed: where they begin. NULL: failed is set. */
char *bytes_room(struct bytes *bytes, size_t more);
void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_add_char(struct bytes *bytes, char c);
static inline void bytes_add_str(struct bytes *bytes, bp_str text)
{
    bytes_add(bytes, text.ptr, text.len);
}
void bytes_deinit(struct bytes *bytes);

#endif
