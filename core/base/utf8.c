/* SPDX-License-Identifier: MIT */
#include "backplane/str.h"

size_t bp_utf8_length(bp_str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    unsigned char low = 0x80, high = 0xbf; /* of the second byte: no overlong form, no surrogate, at most U+10FFFF */
    size_t len;
    if (text.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (text.len < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bp_str bp_utf8_cut(bp_str text, size_t most)
{
    if (text.len <= most)
        return text;
    for (unsigned back = 0; back < 3 && most > 0 && ((unsigned char)text.ptr[most] & 0xc0) == 0x80; back++)
        most--;
    return bp_str_n(text.ptr, most);
}
