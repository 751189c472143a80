/* SPDX-License-Identifier: MIT */
#ifndef CORE_SCHEMA_ESCAPE_H
#define CORE_SCHEMA_ESCAPE_H

#include "core/base/buffer.h"

/* Writing at a place of a buffer instead of through it: room() says how far was written (p) and gives the place to go on, with need bytes
 * free; NULL when out of memory (then buffer->failed is set). */
static inline char *room(struct buffer *out, char *p, size_t need)
{
    out->len = (size_t)(p - out->ptr);
    if (__builtin_expect(out->cap - out->len < need, 0) && !buffer_reserve(out, need))
        return NULL;
    return out->ptr + out->len;
}

/* The text with quotes. NULL when out of memory. */
char *escape_put(struct buffer *out, char *p, bp_str text);

#endif
