/* SPDX-License-Identifier: MIT */
#include "tag.h"

static bool is_strong(bp_str tag)
{
    return tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"';
}

bp_str tag_add(struct bp_arena *arena, bp_str tag, enum coding coding)
{
    bp_str name = coding_name(coding);
    if (!is_strong(tag))
        return tag;
    return bp_arena_printf(arena, "%.*s-%" BP_STR_FMT "\"", (int)tag.len - 1, tag.ptr, BP_STR_ARG(name));
}

/* How long the suffix is that ends right before a closing quote at the end of the text. */
static size_t suffix_of(bp_str text)
{
    for (unsigned coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        bp_str name = coding_name((enum coding)coding);
        if (text.len > name.len + 1 && text.ptr[text.len - name.len - 1] == '-' &&
            memcmp(text.ptr + text.len - name.len, name.ptr, name.len) == 0)
            return name.len + 1;
    }
    return 0;
}

bp_str tag_strip(struct bp_arena *arena, bp_str list)
{
    char *text = NULL;
    size_t len = 0, copied = 0;
    for (size_t i = 1; i < list.len; i++) {
        size_t suffix = list.ptr[i] == '"' ? suffix_of(bp_str_n(list.ptr, i)) : 0;
        if (suffix == 0)
            continue;
        if (!text && !(text = bp_arena_alloc(arena, list.len)))
            return bp_str_n(NULL, 0);
        memcpy(text + len, list.ptr + copied, i - suffix - copied);
        len += i - suffix - copied;
        copied = i;
    }
    if (!text)
        return bp_str_n(NULL, 0);
    memcpy(text + len, list.ptr + copied, list.len - copied);
    return bp_str_n(text, len + list.len - copied);
}

bool tag_listed(bp_str list, bp_str tag, enum coding coding)
{
    bp_str name = coding_name(coding);
    size_t body = tag.len - 1; /* without the closing quote */
    if (!is_strong(tag))
        return false;
    for (size_t i = 0; i + body + name.len + 2 <= list.len; i++)
        if (memcmp(list.ptr + i, tag.ptr, body) == 0 && list.ptr[i + body] == '-' &&
            memcmp(list.ptr + i + body + 1, name.ptr, name.len) == 0 && list.ptr[i + body + 1 + name.len] == '"')
            return true;
    return false;
}
