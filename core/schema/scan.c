/* SPDX-License-Identifier: MIT */
#include "core/schema/scan.h"

enum kind { ORDINARY, QUOTE, BACKSLASH, OPEN, CLOSE };

static const uint8_t kinds[256] = {
    ['"'] = QUOTE, ['\\'] = BACKSLASH, ['['] = OPEN, ['{'] = OPEN, [']'] = CLOSE, ['}'] = CLOSE,
};

static bool is_control(char c)
{
    return (unsigned char)c < 0x20;
}

static bool is_space(char c)
{
    return c == '\t' || c == '\n' || c == '\r';
}

/* Goes from the opening quote at *at to the closing one, or to the end. False at a control byte. */
static bool skip_string(bp_str json, size_t *at)
{
    for ((*at)++; *at < json.len; (*at)++) {
        enum kind kind = kinds[(unsigned char)json.ptr[*at]];
        if (kind == QUOTE)
            return true;
        if (kind == BACKSLASH && *at + 1 < json.len)
            (*at)++;
        if (is_control(json.ptr[*at]))
            return false;
    }
    return true;
}

bool scan_json(bp_str json, size_t *ret_position, const char **ret_what)
{
    unsigned depth = 0;
    const char *what = NULL;
    size_t i;
    for (i = 0; i < json.len; i++) {
        enum kind kind = kinds[(unsigned char)json.ptr[i]];
        if (kind == OPEN && ++depth > SCAN_DEPTH_MAX)
            what = "nested deeper than 64 levels";
        else if (kind == CLOSE && depth > 0)
            depth--;
        else if ((is_control(json.ptr[i]) && !is_space(json.ptr[i])) || (kind == QUOTE && !skip_string(json, &i)))
            what = "raw control character";
        if (what) {
            *ret_position = i;
            *ret_what = what;
            return false;
        }
    }
    return true;
}

void scan_locate(bp_str json, size_t position, unsigned *ret_line, unsigned *ret_column)
{
    unsigned line = 1, column = 0;
    for (size_t i = 0; i <= position && i < json.len; i++) {
        if (i > 0 && json.ptr[i - 1] == '\n') {
            line++;
            column = 0;
        }
        column += ((unsigned char)json.ptr[i] & 0xc0) != 0x80;
    }
    *ret_line = line;
    *ret_column = column > 0 ? column : 1;
}
