/* SPDX-License-Identifier: MIT */
/* The server's default limits, and a copy of bytes that ends where its memory ends, so that reading beyond it is seen. */
#ifndef TESTS_UNIT_HTTP_LIMITS_H
#define TESTS_UNIT_HTTP_LIMITS_H

#include "core/http/parser.h"

#include <stdlib.h>

static const struct parser_limits default_limits = {
    .target = 8192, .field = 16384, .head = 32768, .fields = 100, .trailer = 8192};

static inline char *exact_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    return copy;
}

#endif
