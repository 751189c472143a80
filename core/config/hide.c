/* SPDX-License-Identifier: MIT */
/* Passwords inside of texts that are otherwise no secret. */
#include "core/config/print.h"

#define HIDDEN "[secret]"

/* The next needle in text, whatever its case; text.len when there is none. */
static size_t find(bp_str text, bp_str needle)
{
    for (size_t i = 0; i + needle.len <= text.len; i++)
        if (bp_str_eq_nocase(bp_str_n(text.ptr + i, needle.len), needle))
            return i;
    return text.len;
}

static bp_str rest(bp_str text, size_t from)
{
    return bp_str_n(text.ptr + from, text.len - from);
}

/* text begins behind "://". Adds all up to the end of the password, if there is one; returns how much of text that was. */
static size_t hide_userinfo(bp_str text, struct buffer *out)
{
    /* A password may hold an unescaped "/" or "@", so the last "@" before the query, or before another URL, ends it. */
    bp_str head = bp_str_n(text.ptr, find(text, BP_STR("://")));
    head.len = find(head, BP_STR("?"));
    size_t at = head.len, colon = find(head, BP_STR(":"));
    while (at > 0 && head.ptr[at - 1] != '@')
        at--;
    if (at == 0 || colon >= at)
        return 0;
    buffer_add(out, bp_str_n(head.ptr, colon + 1));
    buffer_add(out, BP_STR(HIDDEN));
    return at - 1;
}

void config_hide_passwords(bp_str text, struct buffer *out)
{
    while (text.len > 0) {
        size_t url = find(text, BP_STR("://")), password = find(text, BP_STR("password="));
        bool is_url = url <= password;
        size_t start = is_url ? url + 3 : password + 9;
        if (url == text.len && password == text.len) {
            buffer_add(out, text);
            return;
        }
        buffer_add(out, bp_str_n(text.ptr, start));
        text = rest(text, start);
        if (is_url) {
            text = rest(text, hide_userinfo(text, out));
            continue;
        }
        size_t len = 0;
        while (len < text.len && !memchr("& \t\r\n", text.ptr[len], 5))
            len++;
        buffer_add(out, BP_STR(HIDDEN));
        text = rest(text, len);
    }
}
