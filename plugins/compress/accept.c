/* SPDX-License-Identifier: MIT */
#include "accept.h"

static const bp_str names[CODING_COUNT] = {[CODING_IDENTITY] = BP_STR_INIT("identity"),
                                           [CODING_GZIP] = BP_STR_INIT("gzip"),
                                           [CODING_BROTLI] = BP_STR_INIT("br")};

bp_str coding_name(enum coding coding)
{
    return names[coding];
}

/* A qvalue in thousandths (RFC 9110 12.4.2); -1 when it is none. */
static int weight(bp_str text)
{
    int value = 0, scale = 1000;
    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return -1;
    value = (text.ptr[0] - '0') * 1000;
    for (size_t i = 2; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        scale /= 10;
        value += (text.ptr[i] - '0') * scale;
    }
    return value <= 1000 ? value : -1;
}

static bp_str take(bp_str *rest, char separator)
{
    const char *end = memchr(rest->ptr, separator, rest->len);
    bp_str piece = bp_str_n(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    *rest = end ? bp_str_n(end + 1, rest->len - piece.len - 1) : bp_str_n(NULL, 0);
    return bp_str_trim(piece);
}

/* Of one member of the list; one that is malformed counts as not wanted. */
static int member_weight(bp_str parameters)
{
    while (parameters.len > 0) {
        bp_str parameter = take(&parameters, ';');
        if (parameter.len >= 2 && (parameter.ptr[0] == 'q' || parameter.ptr[0] == 'Q') && parameter.ptr[1] == '=') {
            int value = weight(bp_str_n(parameter.ptr + 2, parameter.len - 2));
            return value < 0 ? 0 : value;
        }
    }
    return 1000;
}

enum coding accept_choose(bp_str field, unsigned offered)
{
    int weights[CODING_COUNT] = {-1, -1, -1}, any = -1;
    enum coding best = CODING_IDENTITY;
    while (field.len > 0) {
        bp_str member = take(&field, ',');
        if (member.len == 0)
            continue;
        bp_str name = take(&member, ';');
        int value = member_weight(member);
        if (bp_str_is(name, "*"))
            any = value;
        else if (bp_str_eq_nocase(name, BP_STR("x-gzip")))
            weights[CODING_GZIP] = value;
        for (unsigned i = 0; i < CODING_COUNT; i++)
            if (bp_str_eq_nocase(name, names[i]))
                weights[i] = value;
    }
    int most = weights[CODING_IDENTITY]; /* unless it is named, the others go before it */
    for (unsigned i = CODING_BROTLI; i > CODING_IDENTITY; i--) {
        int value = weights[i] >= 0 ? weights[i] : any;
        if (offered & (1u << i) && value > 0 && (best == CODING_IDENTITY ? value >= most : value > most)) {
            best = (enum coding)i;
            most = value;
        }
    }
    return best;
}
