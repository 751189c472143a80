/* SPDX-License-Identifier: MIT */
#include "url.h"

#include <stdio.h>

const char *const url_patterns[] = {
    "^https?://([A-Za-z0-9][A-Za-z0-9._-]*|\\[[0-9A-Fa-f:.]+\\])"
    "(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?([/?][!$-~]*)?$",
    NULL};

bool url_is_https(bp_str url)
{
    return bp_str_starts(url, BP_STR("https://"));
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How long the host at the beginning of an authority is; 0: there is none. */
static size_t host_length(bp_str authority)
{
    size_t len = 0;
    if (authority.len == 0)
        return 0;
    if (authority.ptr[0] != '[') {
        while (len < authority.len &&
               (is_alphanumeric(authority.ptr[len]) || (len > 0 && strchr("._-", authority.ptr[len]))))
            len++;
        return len;
    }
    for (len = 1; len < authority.len && authority.ptr[len] != ']'; len++)
        if (!strchr("0123456789abcdefABCDEF:.", authority.ptr[len]))
            return 0;
    return len > 1 && len < authority.len ? len + 1 : 0;
}

static bool is_port(bp_str text)
{
    uint64_t port;
    return text.len > 0 && text.len <= 5 && text.ptr[0] != '0' && bp_str_to_u64(text, &port) && port <= 65535;
}

static const char *authority_problem(bp_str authority)
{
    if (authority.len > 0 && memchr(authority.ptr, '@', authority.len))
        return "must not have a user name or password";
    size_t host = host_length(authority);
    if (host == 0)
        return "must have a host";
    if (host == authority.len)
        return NULL;
    if (authority.ptr[host] != ':')
        return "must have a host name of letters, digits, dots and hyphens";
    return is_port(bp_str_n(authority.ptr + host + 1, authority.len - host - 1)) ? NULL
                                                                                 : "must have a port of 1 to 65535";
}

const char *url_problem(bp_str url)
{
    size_t scheme = url_is_https(url) ? 8 : bp_str_starts(url, BP_STR("http://")) ? 7 : 0;
    if (scheme == 0)
        return "must begin with https://";
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];
        if (c == '#')
            return "must not have a fragment";
        if (c <= ' ' || c >= 0x7f || c == '"')
            return "must be of visible ASCII characters: encode others";
    }
    bp_str rest = bp_str_n(url.ptr + scheme, url.len - scheme);
    size_t authority = 0;
    while (authority < rest.len && rest.ptr[authority] != '/' && rest.ptr[authority] != '?')
        authority++;
    return authority_problem(bp_str_n(rest.ptr, authority));
}

void url_check(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    bp_str url = *(const bp_str *)value;
    const char *problem = url.len > 0 ? url_problem(url) : NULL; /* that it lacks is said already */
    char message[100];
    if (!problem)
        return;
    (void)snprintf(message, sizeof(message), "URL %s", problem);
    bp_problem_add(problems, row, "webhook.url", message);
}
