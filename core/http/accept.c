/* SPDX-License-Identifier: MIT */
#include "core/http/accept.h"

#include <string.h>

#define JSON BP_STR("application/json")
#define PROBLEM BP_STR("application/problem+json")

/* Takes what stands before the next separator off the text. */
static bp_str cut(bp_str *text, char separator)
{
    const char *end = memchr(text->ptr, separator, text->len);
    bp_str part = bp_str_n(text->ptr, end ? (size_t)(end - text->ptr) : text->len);
    *text = end ? bp_str_n(end + 1, text->len - part.len - 1) : bp_str_n(NULL, 0);
    return bp_str_trim(part);
}

/* "0.5" is 500; what is no qvalue (RFC 9110 12.4.2) weighs nothing. */
static int parse_weight(bp_str text)
{
    int weight = 0, digit = 1000;
    if (text.len == 0 || text.len > 5 || text.ptr[0] < '0' || text.ptr[0] > '1' || (text.len > 1 && text.ptr[1] != '.'))
        return 0;
    weight = (text.ptr[0] - '0') * 1000;
    for (size_t i = 2; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return 0;
        digit /= 10;
        weight += (text.ptr[i] - '0') * digit;
    }
    return weight <= 1000 ? weight : 0;
}

static int weight_of(bp_str parameters)
{
    while (parameters.len > 0) {
        bp_str parameter = cut(&parameters, ';');
        if (parameter.len >= 2 && (parameter.ptr[0] == 'q' || parameter.ptr[0] == 'Q') && parameter.ptr[1] == '=')
            return parse_weight(bp_str_n(parameter.ptr + 2, parameter.len - 2));
    }
    return 1000;
}

/* How closely a range describes a type: 3 that type, 2 all of its kind, 1 all; 0: not at all. */
static int closeness(bp_str range, bp_str media_type)
{
    size_t kind = (size_t)((const char *)memchr(media_type.ptr, '/', media_type.len) - media_type.ptr) + 1;
    if (bp_str_eq_nocase(range, media_type))
        return 3;
    if (range.len == kind + 1 && range.ptr[kind] == '*' &&
        bp_str_eq_nocase(bp_str_n(range.ptr, kind), bp_str_n(media_type.ptr, kind)))
        return 2;
    return bp_str_is(range, "*/*") ? 1 : 0;
}

int accept_weight(bp_str accept, bp_str media_type, bool ranges)
{
    int weight = ACCEPT_NOT_LISTED, closest = ranges ? 0 : 2;
    while (accept.len > 0) {
        bp_str parameters = cut(&accept, ',');
        if (parameters.len == 0)
            continue;
        int close = closeness(cut(&parameters, ';'), media_type);
        if (close <= closest)
            continue;
        closest = close;
        weight = weight_of(parameters);
    }
    return weight;
}

bool accept_takes_json(bp_str accept, enum accept_refusal refusal)
{
    if (accept.len == 0 || refusal == ACCEPT_NEVER || bp_str_is(accept, "*/*"))
        return true;
    int json = accept_weight(accept, JSON, true);
    if (json > 0 || accept_weight(accept, PROBLEM, false) > 0)
        return true;
    return json == ACCEPT_NOT_LISTED && refusal == ACCEPT_EXCLUDED;
}

bool accept_prefers_problem(bp_str accept)
{
    int problem = accept_weight(accept, PROBLEM, false);
    return problem > 0 && problem >= accept_weight(accept, JSON, false);
}
