/* SPDX-License-Identifier: MIT */
#include "excerpt.h"

static const char replacement[] = "\xef\xbf\xbd";

bp_str excerpt(bp_str bytes, size_t max, struct bp_arena *arena)
{
    char *text = bp_arena_alloc(arena, max + 1);
    size_t len = 0;
    if (!text)
        return bp_str_n(NULL, 0);
    for (size_t at = 0; at < bytes.len;) {
        size_t taken = bp_utf8_length(bp_str_n(bytes.ptr + at, bytes.len - at));
        bool fine = taken > 0 && bytes.ptr[at] != '\0';
        bp_str one = fine ? bp_str_n(bytes.ptr + at, taken) : bp_str_n(replacement, sizeof(replacement) - 1);
        if (one.len > max - len)
            break;
        memcpy(text + len, one.ptr, one.len);
        len += one.len;
        at += fine ? taken : 1;
    }
    return bp_str_n(text, len);
}
