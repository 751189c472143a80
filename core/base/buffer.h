/* SPDX-License-Identifier: MIT */
/* A growing byte buffer on the heap, for building text and output. */
#ifndef CORE_BASE_BUFFER_H
#define CORE_BASE_BUFFER_H

#include "backplane/str.h"

struct buffer {
    char *ptr;
    size_t len, cap;
    bool failed; /* an allocation failed: everything after it was dropped; check once at the end */
};

void buffer_deinit(struct buffer *buffer);
/* Room for at least `more` bytes behind len; false when out of memory. */
bool buffer_reserve(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, bp_str text);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline bp_str buffer_str(const struct buffer *buffer)
{
    return bp_str_n(buffer->ptr, buffer->len);
}

#endif
