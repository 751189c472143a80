/* SPDX-License-Identifier: MIT */
/* Texts: UTF-8 (RFC 3629), white space, bounds in code points. */
#include "core/schema/value.h"

size_t text_length(bp_str text)
{
    const char *end = text.ptr + text.len;
    size_t count = 0;
    for (const char *p = text.ptr; p < end; count++) {
        size_t len = bp_utf8_length(bp_str_n(p, (size_t)(end - p)));
        if (len == 0)
            return SIZE_MAX;
        p += len;
    }
    return count;
}

/* Of a text that is known to be UTF-8. */
static size_t count_points(bp_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* The bytes of the white space that text starts with, 0 when it starts with none. */
static size_t leading_space(bp_str text)
{
    static const char *const wide[] = {"\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9",
                                       "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80", "\xef\xbb\xbf"};
    if (text.len == 0)
        return 0;
    if (text.ptr[0] == ' ' || (text.ptr[0] >= '\t' && text.ptr[0] <= '\r'))
        return 1;
    if ((unsigned char)text.ptr[0] < 0x80)
        return 0;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (bp_str_starts(text, bp_str_of(wide[i])))
            return strlen(wide[i]);
    /* U+2000 to U+200A */
    bool en_space = bp_str_starts(text, BP_STR("\xe2\x80")) && text.len > 2 && (unsigned char)text.ptr[2] >= 0x80 &&
                    (unsigned char)text.ptr[2] <= 0x8a;
    return en_space ? 3 : 0;
}

static size_t trailing_space(bp_str text)
{
    for (size_t len = 1; len <= 3 && len <= text.len; len++)
        if (leading_space(bp_str_n(text.ptr + text.len - len, len)) == len)
            return len;
    return 0;
}

bp_str text_trim(bp_str text)
{
    size_t space;
    while ((space = leading_space(text)) > 0)
        text = bp_str_n(text.ptr + space, text.len - space);
    while ((space = trailing_space(text)) > 0)
        text.len -= space;
    return text;
}

static void check_length(const struct column *column, bp_str text, struct bp_problems *problems)
{
    if (column->low == 0 && (uint64_t)text.len <= (uint64_t)column->high)
        return;
    int64_t length = (int64_t)count_points(text);
    if (length < column->low && column->low == 1)
        value_complain(column, "too_short", "cannot be empty", 0, problems);
    else if (length < column->low)
        value_complain(column, "too_short", "must be at least %d characters long", column->low, problems);
    else if (length > column->high)
        value_complain(column, "too_long", "must be less than %d characters", column->high, problems);
}

static void lower(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] | 0x20);
}

void text_store(const struct column *column, bp_str text, bool valid_utf8, struct bp_arena *arena, void *object,
                struct bp_problems *problems)
{
    void *member = (char *)object + column->offset;
    if (column->flags & BP_TRIM)
        text = text_trim(text);
    if (!valid_utf8 && text_length(text) == SIZE_MAX) {
        value_complain(column, "invalid", "must be valid UTF-8", 0, problems);
        return;
    }
    if (text.len > 0 && memchr(text.ptr, 0, text.len)) {
        value_complain(column, "invalid", "must not contain U+0000", 0, problems);
        return;
    }
    text = bp_arena_copy(arena, text);
    if (!text.ptr) {
        problems->failed = true;
        return;
    }
    if (column->flags & BP_LOWER)
        lower((char *)(uintptr_t)text.ptr, text.len); /* our own copy */
    check_length(column, text, problems);
    memcpy(member, &text, sizeof(text));
    if (column->row->check)
        column->row->check(column->row, member, problems);
}
