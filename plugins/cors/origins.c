/* SPDX-License-Identifier: MIT */
#include "origins.h"

bool cors_any(bp_str option)
{
    return bp_str_is(bp_str_trim(option), "*");
}

/* Takes the next entry off the list. False at its end. */
static bool next_entry(bp_str *list, bp_str *ret_entry)
{
    bool more = bp_str_next(list, ',', ret_entry);
    if (more)
        *ret_entry = bp_str_trim(*ret_entry);
    return more;
}

bool cors_allows(bp_str option, bp_str origin)
{
    bp_str entry;
    while (next_entry(&option, &entry))
        if (bp_str_eq(entry, origin))
            return true;
    return false;
}

const char *cors_check(bp_str option, bp_str *ret_entry)
{
    bp_str entry;
    if (cors_any(option))
        return NULL;
    while (next_entry(&option, &entry)) {
        *ret_entry = entry;
        const char *scheme_end = entry.len > 0 ? memmem(entry.ptr, entry.len, "://", 3) : NULL;
        if (!scheme_end || scheme_end == entry.ptr)
            return "is not an origin such as https://app.example.com";
        bp_str host = bp_str_n(scheme_end + 3, (size_t)(entry.ptr + entry.len - scheme_end - 3));
        if (host.len == 0)
            return "has no host";
        if (memchr(host.ptr, '/', host.len))
            return "must not have a path, not even a trailing slash";
        for (size_t i = 0; i < entry.len; i++)
            if ((unsigned char)entry.ptr[i] <= ' ' || entry.ptr[i] == 0x7f || entry.ptr[i] == '*')
                return "holds a character that no origin has";
    }
    return NULL;
}
