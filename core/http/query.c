/* SPDX-License-Identifier: MIT */
/* The query string, parameter by parameter (application/x-www-form-urlencoded). */
#include "core/http/request.h"

/* A slice of the request where nothing is encoded. */
static bool decode(struct bp_request *rq, bp_str text, bp_str *ret_text)
{
    size_t len;
    if (text.len == 0 || (!memchr(text.ptr, '%', text.len) && !memchr(text.ptr, '+', text.len))) {
        *ret_text = text;
        return true;
    }
    char *decoded = bp_arena_alloc(rq->arena, text.len + 1);
    if (!decoded)
        return false;
    *ret_text = parser_percent_decode(text, true, decoded, &len) ? bp_str_n(decoded, len) : text;
    return true;
}

bool bp_query_next(struct bp_request *rq, bp_str *rest, bp_str *ret_name, bp_str *ret_value)
{
    if (rest->len == 0)
        return false;
    const char *at = rest->ptr, *end = at + rest->len, *next = memchr(at, '&', rest->len);
    *rest = next ? bp_str_n(next + 1, (size_t)(end - next) - 1) : bp_str_n(end, 0);
    if (!next)
        next = end;
    const char *equals = memchr(at, '=', (size_t)(next - at));
    bp_str value = equals ? bp_str_n(equals + 1, (size_t)(next - equals) - 1) : BP_STR("");
    return decode(rq, bp_str_n(at, (size_t)((equals ? equals : next) - at)), ret_name) && decode(rq, value, ret_value);
}
