/* SPDX-License-Identifier: MIT */
/* A member's name in JSON and in messages: created_at, createdAt, "Created at". */
#include "core/schema/table.h"

#include <stdlib.h>

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bp_str name_camel(const char *name)
{
    size_t len = strlen(name), n = 0;
    char *text = malloc(len + 1);
    if (!text)
        return bp_str_n(NULL, 0);
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '_' && n > 0 && name[i + 1] != '\0') {
            i++;
            text[n++] = (char)(is_lower(name[i]) ? name[i] - 'a' + 'A' : name[i]);
        } else {
            text[n++] = name[i];
        }
    }
    text[n] = '\0';
    return bp_str_n(text, n);
}

bp_str name_label(bp_str json)
{
    char *text = malloc(2 * json.len + 1);
    size_t n = 0;
    if (!text)
        return bp_str_n(NULL, 0);
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        bool run = i + 1 < json.len && is_upper(json.ptr[i + 1]); /* an abbreviation: userID, "User ID" */
        bool after_upper = i > 0 && is_upper(json.ptr[i - 1]);
        if (c == '_' || c == '-') {
            c = ' ';
        } else if (is_upper(c) && i > 0) {
            if (!after_upper)
                text[n++] = ' ';
            if (!run && !after_upper)
                c = (char)(c - 'A' + 'a');
        } else if (is_lower(c) && i == 0) {
            c = (char)(c - 'a' + 'A');
        }
        text[n++] = c;
    }
    text[n] = '\0';
    return bp_str_n(text, n);
}
