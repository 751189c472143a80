/* SPDX-License-Identifier: MIT */
#include "match.h"

const char *match_parse(bp_str text, struct match *ret_match)
{
    struct match match = {.method = {"", 0}};
    const char *space = text.len > 0 ? memchr(text.ptr, ' ', text.len) : NULL;

    if (space) {
        match.method = bp_str_n(text.ptr, (size_t)(space - text.ptr));
        text = bp_str_n(space + 1, text.len - match.method.len - 1);
        if (match.method.len == 0)
            return "begins with a space";
    }
    for (size_t i = 0; i < match.method.len; i++)
        if (match.method.ptr[i] < 'A' || match.method.ptr[i] > 'Z')
            return "must name the method in capital letters, as in \"POST /path\"";
    if (text.len == 0 || text.ptr[0] != '/')
        return "must be a path that begins with a slash, with a method before it or without";
    match.prefix = text.ptr[text.len - 1] == '*';
    match.path = bp_str_n(text.ptr, text.len - match.prefix);
    if (memchr(match.path.ptr, '*', match.path.len))
        return "may have one star, at its end";
    *ret_match = match;
    return NULL;
}

static bool fits(const struct match *match, bp_str path)
{
    return match->prefix ? bp_str_starts(path, match->path) : bp_str_eq(path, match->path);
}

bool match_fits(const struct match *match, bp_str method, bp_str path, bp_str route)
{
    if (match->method.len > 0 && !bp_str_eq(match->method, method))
        return false;
    return fits(match, path) || (route.len > 0 && fits(match, route));
}
