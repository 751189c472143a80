/* SPDX-License-Identifier: MIT */
#include "utf8.h"

size_t utf8_valid(bp_str text)
{
    size_t at = 0;
    while (at < text.len) {
        uint64_t word;
        if (text.len - at >= sizeof(word)) { /* nearly all is ASCII */
            memcpy(&word, text.ptr + at, sizeof(word));
            if (!(word & UINT64_C(0x8080808080808080))) {
                at += sizeof(word);
                continue;
            }
        }
        size_t len = bp_utf8_length(bp_str_n(text.ptr + at, text.len - at));
        if (len == 0)
            break;
        at += len;
    }
    return at;
}

size_t utf8_repair(bp_str text, char *ret_text)
{
    char *out = ret_text;
    while (text.len > 0) {
        size_t valid = utf8_valid(text);
        memcpy(out, text.ptr, valid);
        out += valid;
        text = bp_str_n(text.ptr + valid, text.len - valid);
        if (text.len == 0)
            break;
        memcpy(out, "\xef\xbf\xbd", 3);
        out += 3;
        text = bp_str_n(text.ptr + 1, text.len - 1);
    }
    return (size_t)(out - ret_text);
}
