/* SPDX-License-Identifier: MIT */
#include "core/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BYTES ((size_t)256)

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->ptr);
    *buffer = (struct buffer){0};
}

bool buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t cap = buffer->cap ? buffer->cap : FIRST_BYTES, needed;
    char *ptr;
    if (buffer->failed)
        return false;
    if (buffer->cap - buffer->len >= more)
        return true;
    if (__builtin_add_overflow(buffer->len, more, &needed)) {
        buffer->failed = true;
        return false;
    }
    while (cap < needed)
        if (__builtin_mul_overflow(cap, 2u, &cap))
            cap = needed;
    ptr = realloc(buffer->ptr, cap);
    if (!ptr) {
        buffer->failed = true;
        return false;
    }
    buffer->ptr = ptr;
    buffer->cap = cap;
    return true;
}

void buffer_add(struct buffer *buffer, bp_str text)
{
    if (text.len == 0 || !buffer_reserve(buffer, text.len))
        return;
    memcpy(buffer->ptr + buffer->len, text.ptr, text.len);
    buffer->len += text.len;
}

void buffer_add_char(struct buffer *buffer, char c)
{
    if (buffer_reserve(buffer, 1))
        buffer->ptr[buffer->len++] = c;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    int len;
    /* One more than the text: vsnprintf ends it with a NUL. */
    if (!buffer_reserve(buffer, 64))
        return;
    va_start(arguments, format);
    len = vsnprintf(buffer->ptr + buffer->len, buffer->cap - buffer->len, format, arguments);
    va_end(arguments);
    if (len < 0) {
        buffer->failed = true;
        return;
    }
    if ((size_t)len >= buffer->cap - buffer->len) {
        if (!buffer_reserve(buffer, (size_t)len + 1))
            return;
        va_start(arguments, format);
        vsnprintf(buffer->ptr + buffer->len, buffer->cap - buffer->len, format, arguments);
        va_end(arguments);
    }
    buffer->len += (size_t)len;
}
