/* SPDX-License-Identifier: MIT */
#include "core/metric/label.h"

/* The length of the character at the start of text; 0: none that may be shown. */
static size_t shown(bp_str text)
{
    unsigned char first = (unsigned char)text.ptr[0];
    return (first < ' ' && first != '\n') || first == 0x7f ? 0 : bp_utf8_length(text);
}

bp_str label_clean(bp_str text, char space[METRIC_LABEL_MAX])
{
    bool clean = true;
    for (size_t i = 0, size; i < text.len; i += size ? size : 1) {
        size = shown(bp_str_n(text.ptr + i, text.len - i));
        if (size)
            continue;
        if (clean)
            memcpy(space, text.ptr, text.len);
        clean = false;
        space[i] = '?';
    }
    return clean ? text : bp_str_n(space, text.len);
}
