/* SPDX-License-Identifier: MIT */
#include "directives.h"

#include "key.h"

/* A directive's value: "max-age=0" or "max-age=\"0\"". */
static bool is_max_age_zero(bp_str directive)
{
    static const bp_str name = BP_STR_INIT("max-age=");
    if (directive.len <= name.len || !bp_str_eq_nocase(bp_str_n(directive.ptr, name.len), name))
        return false;
    for (size_t i = name.len; i < directive.len; i++)
        if (directive.ptr[i] != '0' && directive.ptr[i] != '"')
            return false;
    return true;
}

struct request_directives directives_of_request(bp_str cache_control)
{
    struct request_directives found = {false, false};
    bp_str directive;
    while (key_next_name(&cache_control, &directive)) {
        bool no_store = bp_str_eq_nocase(directive, BP_STR("no-store"));
        if (no_store || bp_str_eq_nocase(directive, BP_STR("no-cache")) || is_max_age_zero(directive))
            found.no_read = true;
        found.no_fill |= no_store;
    }
    return found;
}

/* private may come with a list of fields, private="set-cookie": taken as the whole. */
static bool is_private(bp_str directive)
{
    return directive.len >= 7 && bp_str_eq_nocase(bp_str_n(directive.ptr, 7), BP_STR("private")) &&
           (directive.len == 7 || directive.ptr[7] == '=');
}

bool directives_allow(bp_str cache_control, bool identified)
{
    bp_str directive;
    while (key_next_name(&cache_control, &directive))
        if (bp_str_eq_nocase(directive, BP_STR("no-store")) || (!identified && is_private(directive)))
            return false;
    return true;
}

static bp_str opaque(bp_str etag)
{
    return bp_str_starts(etag, BP_STR("W/")) ? bp_str_n(etag.ptr + 2, etag.len - 2) : etag;
}

/* An entity tag may hold commas. */
static bool next_etag(bp_str *list, bp_str *ret_etag)
{
    while (list->len > 0 && (list->ptr[0] == ',' || list->ptr[0] == ' ' || list->ptr[0] == '\t'))
        *list = bp_str_n(list->ptr + 1, list->len - 1);
    const char *quote = list->len > 0 ? memchr(list->ptr, '"', list->len) : NULL;
    const char *end = quote ? memchr(quote + 1, '"', list->len - (size_t)(quote - list->ptr) - 1) : NULL;
    if (!end)
        return false;
    *ret_etag = bp_str_n(list->ptr, (size_t)(end - list->ptr) + 1);
    *list = bp_str_n(end + 1, list->len - ret_etag->len);
    return true;
}

bool etag_matches(bp_str if_none_match, bp_str etag)
{
    bp_str candidate;
    if (etag.len == 0)
        return false;
    if (bp_str_is(bp_str_trim(if_none_match), "*"))
        return true;
    while (next_etag(&if_none_match, &candidate))
        if (bp_str_eq(opaque(candidate), opaque(etag)))
            return true;
    return false;
}
