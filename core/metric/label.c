/* SPDX-License-Identifier: MIT */
#include "core/metric/label.h"

bp_str label_cut(bp_str text)
{
    if (text.len <= METRIC_LABEL_MAX)
        return text;
    text.len = METRIC_LABEL_MAX;
    while (text.len > 0 && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

/* The length of the character at the start of len bytes; 0: none that may be shown (RFC 3629: shortest form, no surrogates). */
static size_t character(const unsigned char *at, size_t len)
{
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
    if (size == 1)
        return (at[0] >= ' ' && at[0] != 0x7f) || at[0] == '\n';
    if (size > len)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return size;
}

bp_str label_clean(bp_str text, char space[METRIC_LABEL_MAX])
{
    bool clean = true;
    for (size_t i = 0, size; i < text.len; i += size ? size : 1) {
        size = character((const unsigned char *)text.ptr + i, text.len - i);
        if (size)
            continue;
        if (clean)
            memcpy(space, text.ptr, text.len);
        clean = false;
        space[i] = '?';
    }
    return clean ? text : bp_str_n(space, text.len);
}
