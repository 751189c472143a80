/* SPDX-License-Identifier: MIT */
#include "backplane/network.h"

#include <arpa/inet.h>

enum { MAPPED_BITS = 96 }; /* ::ffff:0:0/96 */

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* As written: a mapped address stays one of 16 bytes. */
static bool parse(bp_str text, struct bp_address *ret)
{
    char copy[INET6_ADDRSTRLEN];
    struct bp_address address = {0};
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    bool is_six = memchr(copy, ':', text.len) != NULL;
    if (inet_pton(is_six ? AF_INET6 : AF_INET, copy, address.bytes) != 1)
        return false;
    address.len = is_six ? 16 : 4;
    *ret = address;
    return true;
}

static bool unmap(struct bp_address *address)
{
    if (address->len != 16 || memcmp(address->bytes, mapped, sizeof(mapped)) != 0)
        return false;
    memmove(address->bytes, address->bytes + sizeof(mapped), 4);
    memset(address->bytes + 4, 0, 12);
    address->len = 4;
    return true;
}

bool bp_address_parse(bp_str text, struct bp_address *ret_address)
{
    if (!parse(text, ret_address))
        return false;
    (void)unmap(ret_address);
    return true;
}

struct bp_address bp_address_of(bp_str bytes)
{
    struct bp_address address = {.len = (uint8_t)bytes.len};
    if (bytes.len > 0)
        memcpy(address.bytes, bytes.ptr, bytes.len);
    (void)unmap(&address);
    return address;
}

static bool has_bits_beyond(const struct bp_address *address, unsigned bits)
{
    for (unsigned i = bits; i < address->len * 8u; i++)
        if (address->bytes[i / 8] & (0x80u >> i % 8))
            return true;
    return false;
}

const char *bp_network_parse(bp_str text, struct bp_network *ret_network)
{
    struct bp_network network = {0};
    uint64_t bits;

    if (bp_str_is(text, "unix")) {
        *ret_network = network;
        return NULL;
    }
    const char *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    bp_str address = bp_str_n(text.ptr, slash ? (size_t)(slash - text.ptr) : text.len);
    if (!parse(address, &network.address))
        return "holds no IPv4 or IPv6 address; write \"10.0.0.0/8\", \"::1\" or \"unix\"";
    bits = network.address.len * 8u;
    if (slash &&
        (!bp_str_to_u64(bp_str_n(slash + 1, text.len - address.len - 1), &bits) || bits > network.address.len * 8u))
        return network.address.len == 4 ? "needs a prefix length from 0 to 32 behind the slash"
                                        : "needs a prefix length from 0 to 128 behind the slash";
    if (has_bits_beyond(&network.address, (unsigned)bits))
        return "has bits set behind its prefix; write the first address of the network";
    if (bits >= MAPPED_BITS && unmap(&network.address))
        bits -= MAPPED_BITS;
    network.bits = (uint8_t)bits;
    *ret_network = network;
    return NULL;
}

bool bp_network_holds(const struct bp_network *network, bp_str address)
{
    size_t whole = network->bits / 8u;
    unsigned rest = network->bits % 8u;
    if (address.len != network->address.len)
        return false;
    if (whole > 0 && memcmp(network->address.bytes, address.ptr, whole) != 0)
        return false;
    return rest == 0 || ((network->address.bytes[whole] ^ (uint8_t)address.ptr[whole]) >> (8 - rest)) == 0;
}

bool bp_networks_hold(const struct bp_network *networks, size_t count, bp_str address)
{
    for (size_t i = 0; i < count; i++)
        if (bp_network_holds(&networks[i], address))
            return true;
    return false;
}
