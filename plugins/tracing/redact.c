/* SPDX-License-Identifier: MIT */
#include "redact.h"

#include "backplane/log.h"

size_t redact_room(bp_str query)
{
    size_t values = 0;
    for (size_t i = 0; i < query.len; i++)
        values += query.ptr[i] == '=';
    return query.len + values * strlen(REDACTED);
}

size_t redact_query(bp_str query, char *ret_text)
{
    char *out = ret_text;
    const char *at = query.ptr, *end = query.ptr + query.len;
    while (at < end) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        size_t len = (size_t)((next ? next + 1 : end) - at);
        const char *equals = memchr(at, '=', len);
        bool secret = equals && bp_is_secret_name(bp_str_n(at, (size_t)(equals - at)));
        size_t kept = secret ? (size_t)(equals + 1 - at) : len;
        memcpy(out, at, kept);
        out += kept;
        if (secret) {
            memcpy(out, REDACTED, strlen(REDACTED));
            out += strlen(REDACTED);
            if (next)
                *out++ = '&';
        }
        at += len;
    }
    return (size_t)(out - ret_text);
}
