/* SPDX-License-Identifier: MIT */
#include "lines.h"

bool lines_hold(bp_str text, bp_str line)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        if (bp_str_eq(bp_str_trim(bp_str_n(text.ptr, len)), line))
            return true;
        len += end != NULL;
        text = bp_str_n(text.ptr + len, text.len - len);
    }
    return false;
}
