/* SPDX-License-Identifier: MIT */
#include "core/http/target.h"

#include "core/http/scan.h"

#include <arpa/inet.h>

static bool is_port(const char *at, const char *end)
{
    uint32_t port = 0;
    for (; at < end; at++) {
        if (!scan_is(*at, SCAN_DIGIT))
            return false;
        port = port * 10 + scan_hex(*at);
        if (port > 65535)
            return false;
    }
    return true;
}

static bool is_ipv6(const char *at, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (len >= sizeof text || memchr(at, '\0', len))
        return false;
    memcpy(text, at, len);
    text[len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

bool target_is_authority(bp_str text)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    if (text.len == 0)
        return false;
    if (*at == '[') {
        const char *close = memchr(at, ']', text.len);
        if (!close || !is_ipv6(at + 1, (size_t)(close - at - 1)))
            return false;
        at = close + 1;
    } else {
        for (; at < end && scan_is(*at, SCAN_HOST); at++) {
            if (*at != '%')
                continue;
            if (end - at < 3 || !scan_is(at[1], SCAN_HEX) || !scan_is(at[2], SCAN_HEX))
                return false;
            at += 2;
        }
        if (at == text.ptr)
            return false;
    }
    return at == end || (*at == ':' && is_port(at + 1, end));
}

static const char *split_path(const char *at, const char *end, struct parser_head *head)
{
    const char *stop = scan_class(at, end, SCAN_PATH);
    head->path = stop > at ? bp_str_n(at, (size_t)(stop - at)) : BP_STR("/");
    head->query = bp_str_n(end, 0);
    if (stop < end && *stop == '?') {
        head->query = bp_str_n(stop + 1, (size_t)(end - stop - 1));
        stop = scan_class(stop + 1, end, SCAN_QUERY);
    }
    if (stop == end)
        return NULL;
    return *stop == '#' ? "fragment in the request target" : "invalid character in the request target";
}

static size_t scheme_len(bp_str target)
{
    static const bp_str schemes[] = {BP_STR_INIT("http://"), BP_STR_INIT("https://")};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (target.len >= schemes[i].len && bp_str_eq_nocase(bp_str_n(target.ptr, schemes[i].len), schemes[i]))
            return schemes[i].len;
    return 0;
}

const char *target_split(struct parser_head *head)
{
    bp_str target = head->target;
    const char *at = target.ptr, *end = target.ptr + target.len;
    size_t scheme;

    head->authority = bp_str_n(NULL, 0);
    if (*at == '/')
        return split_path(at, end, head);
    if (target.len == 1 && *at == '*') {
        head->path = target;
        head->query = bp_str_n(end, 0);
        return head->method == BP_OPTIONS ? NULL : "request target \"*\" is for OPTIONS only";
    }
    if (bp_str_eq(head->method_text, BP_STR("CONNECT"))) {
        head->path = head->query = bp_str_n(end, 0);
        head->authority = target;
        return target_is_authority(target) ? NULL : "malformed request target";
    }
    scheme = scheme_len(target);
    if (scheme == 0)
        return "malformed request target";
    at += scheme;
    while (at < end && *at != '/' && *at != '?' && *at != '#')
        at++;
    head->authority = bp_str_n(target.ptr + scheme, (size_t)(at - target.ptr) - scheme);
    if (!target_is_authority(head->authority))
        return "malformed authority in the request target";
    return split_path(at, end, head);
}
