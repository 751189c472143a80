/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <netinet/in.h>

/* What is not the public internet (the registries of RFC 6890 and their additions), or is special to a cloud. */
static const char *const special[] = {
    "0.0.0.0/8",        /* this network */
    "10.0.0.0/8",       /* private */
    "100.64.0.0/10",    /* shared, behind a carrier's translation */
    "127.0.0.0/8",      /* this machine */
    "168.63.129.16/32", /* a cloud's own service for its machines */
    "169.254.0.0/16",   /* link-local, and metadata of clouds */
    "172.16.0.0/12",    /* private */
    "192.0.0.0/24",     /* protocols */
    "192.0.2.0/24",     /* examples */
    "192.88.99.0/24",   /* 6to4 relays */
    "192.168.0.0/16",   /* private */
    "198.18.0.0/15",    /* benchmarks */
    "198.51.100.0/24",  /* examples */
    "203.0.113.0/24",   /* examples */
    "224.0.0.0/4",      /* multicast */
    "240.0.0.0/4",      /* reserved, broadcast */
    "2001::/23",        /* protocols, among them Teredo, which holds an IPv4 address */
    "2001:db8::/32",    /* examples */
    "2002::/16",        /* 6to4, which holds an IPv4 address */
    "3fff::/20",        /* examples */
};
/* All other IPv6 networks are not in use as public ones: loopback, unique local, link-local, multicast, translated IPv4. */
static const char global_unicast[] = "2000::/3";

_Static_assert(sizeof(special) / sizeof(special[0]) < GUARD_SPECIAL, "one more is global_unicast");

static const char *add_exceptions(struct guard *guard, bp_str text, bp_str *ret_which)
{
    for (size_t at = 0; at <= text.len && text.len > 0;) {
        const char *comma = memchr(text.ptr + at, ',', text.len - at);
        size_t end = comma ? (size_t)(comma - text.ptr) : text.len;
        bp_str one = bp_str_trim(bp_str_n(text.ptr + at, end - at));
        *ret_which = one;
        if (guard->exception_count == GUARD_EXCEPTIONS)
            return "is one too many";
        const char *problem = bp_network_parse(one, &guard->exceptions[guard->exception_count++]);
        if (problem)
            return problem;
        at = end + 1;
    }
    return NULL;
}

const char *guard_init(struct guard *guard, struct bp_array texts, bp_str *ret_which)
{
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        (void)bp_network_parse(bp_str_of(special[i]), &guard->special[guard->special_count++]);
    (void)bp_network_parse(bp_str_of(global_unicast), &guard->special[guard->special_count]);
    for (size_t i = 0; i < texts.len; i++) {
        const char *problem = add_exceptions(guard, ((const bp_str *)texts.ptr)[i], ret_which);
        if (problem)
            return problem;
    }
    return NULL;
}

static bp_str bytes_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        return bp_str_n((const char *)&v4->sin_addr, sizeof(v4->sin_addr));
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        return bp_str_n((const char *)&v6->sin6_addr, sizeof(v6->sin6_addr));
    }
    return bp_str_n(NULL, 0);
}

bool guard_allows(const struct guard *guard, const struct sockaddr *address)
{
    bp_str bytes = bytes_of(address);
    if (bytes.len == 0)
        return false;
    /* An IPv4 address mapped into IPv6 is the IPv4 address. */
    struct bp_address plain = bp_address_of(bytes);
    bp_str text = bp_str_n((const char *)plain.bytes, plain.len);
    if (bp_networks_hold(guard->exceptions, guard->exception_count, text))
        return true;
    if (plain.len == 16 && !bp_network_holds(&guard->special[guard->special_count], text))
        return false;
    return !bp_networks_hold(guard->special, guard->special_count, text);
}
