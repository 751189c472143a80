/* SPDX-License-Identifier: MIT */
#include "core/config/listen.h"

#include <arpa/inet.h>
#include <sys/un.h>

static bool number_up_to(bp_str text, uint64_t most)
{
    uint64_t value;
    return bp_str_to_u64(text, &value) && value <= most;
}

static bool is_ipv6(bp_str text)
{
    char host[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.len >= sizeof(host))
        return false;
    memcpy(host, text.ptr, text.len);
    host[text.len] = '\0';
    return inet_pton(AF_INET6, host, &address) == 1;
}

/* Letters, digits, dots and dashes; digits and dots alone must be an IPv4 address. */
static bool is_host(bp_str text)
{
    char host[254];
    struct in_addr address;
    bool numeric = true;
    if (text.len == 0 || text.len >= sizeof(host))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool digit = (c >= '0' && c <= '9') || c == '.';
        if (!digit && !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'))
            return false;
        numeric &= digit;
    }
    memcpy(host, text.ptr, text.len);
    host[text.len] = '\0';
    return !numeric || inet_pton(AF_INET, host, &address) == 1;
}

static const char *unix_problem(bp_str path)
{
    if (path.len == 0 || path.ptr[path.len - 1] == '/')
        return "names no socket file after \"unix:\"";
    if (path.len >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return "is too long for a socket file: 107 bytes at most";
    return NULL;
}

const char *listen_address_problem(bp_str address)
{
    if (bp_str_starts(address, BP_STR("unix:")))
        return unix_problem(bp_str_n(address.ptr + 5, address.len - 5));
    if (bp_str_starts(address, BP_STR("fd:")))
        return number_up_to(bp_str_n(address.ptr + 3, address.len - 3), 1023)
                   ? NULL
                   : "must name a descriptor from 0 to 1023 after \"fd:\"";

    const char *colon = address.len > 0 ? memrchr(address.ptr, ':', address.len) : NULL;
    if (!colon)
        return "must be \"host:port\", \"unix:/path\" or \"fd:3\"";
    bp_str host = bp_str_n(address.ptr, (size_t)(colon - address.ptr));
    bp_str port = bp_str_n(colon + 1, address.len - host.len - 1);
    if (!number_up_to(port, 65535))
        return "must end in a port from 0 to 65535";
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        return is_ipv6(bp_str_n(host.ptr + 1, host.len - 2)) ? NULL : "holds no IPv6 address between \"[\" and \"]\"";
    if (memchr(host.ptr, ':', host.len))
        return "needs brackets around its IPv6 address, as in \"[::1]:3000\"";
    if (bp_str_is(host, "*") || is_host(host))
        return NULL;
    return host.len == 0 ? "names no host: write \"*:port\" for every address" : "holds no valid host name or address";
}

bool listen_mode_parse(bp_str text, uint32_t *ret_mode)
{
    uint32_t mode = 0;
    if (text.len == 0 || text.len > 4)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '7')
            return false;
        mode = mode * 8 + (uint32_t)(text.ptr[i] - '0');
    }
    if (mode > 0777)
        return false;
    *ret_mode = mode;
    return true;
}
