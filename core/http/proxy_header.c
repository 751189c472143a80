/* SPDX-License-Identifier: MIT */
#include "core/http/proxy_header.h"

enum { SIGNATURE = 12, FIXED = 16, VERSION_2 = 2, FAMILY_UNSPECIFIED = 0, FAMILY_4 = 1, FAMILY_6 = 2, FAMILY_UNIX = 3 };
enum { TRANSPORT_UNSPECIFIED = 0, TRANSPORT_STREAM = 1 };

static const char signature[SIGNATURE + 1] = "\r\n\r\n\0\r\nQUIT\n";

static bool begins_like(bp_str bytes, const char *other, size_t len)
{
    return memcmp(bytes.ptr, other, bytes.len < len ? bytes.len : len) == 0;
}

static const char *address_in(bp_str block, unsigned family, struct bp_address *ret)
{
    static const uint8_t lengths[] = {[FAMILY_4] = 12, [FAMILY_6] = 36, [FAMILY_UNIX] = 216};
    if (block.len < lengths[family])
        return "the PROXY header is shorter than its addresses";
    *ret = bp_address_of(bp_str_n(block.ptr, family == FAMILY_4 ? 4 : family == FAMILY_6 ? 16 : 0));
    return NULL;
}

long proxy_header_parse(bp_str bytes, enum proxy_command *ret_command, struct bp_address *ret_address,
                        const char **ret_reason)
{
    const uint8_t *header = (const uint8_t *)bytes.ptr;

    if (bytes.len == 0)
        return 0;
    if (!begins_like(bytes, signature, SIGNATURE)) {
        if (begins_like(bytes, "PROXY ", 6) && bytes.len < 6)
            return 0;
        *ret_reason = begins_like(bytes, "PROXY ", 6)
                          ? "the PROXY protocol's version 1 is not spoken here: version 2 is"
                          : "no PROXY header";
        return -1;
    }
    if (bytes.len > 12 && header[12] >> 4 != VERSION_2) {
        *ret_reason = "an unknown version of the PROXY protocol";
        return -1;
    }
    if (bytes.len > 12 && (header[12] & 15) > 1) {
        *ret_reason = "an unknown command in a PROXY header";
        return -1;
    }
    if (bytes.len < FIXED)
        return 0;
    unsigned family = header[13] >> 4, transport = header[13] & 15;
    size_t len = FIXED + (size_t)(header[14] << 8 | header[15]);
    if (len > PROXY_HEADER_MAX) {
        *ret_reason = "the PROXY header is too long";
        return -1;
    }
    if (bytes.len < len)
        return 0;
    if ((header[12] & 15) == 0) {
        *ret_command = PROXY_LOCAL;
        return (long)len;
    }
    if (family == FAMILY_UNSPECIFIED && transport == TRANSPORT_UNSPECIFIED) {
        *ret_command = PROXY_UNKNOWN;
        return (long)len;
    }
    if (family < FAMILY_4 || family > FAMILY_UNIX || transport != TRANSPORT_STREAM) {
        *ret_reason = "a PROXY header for something else than a stream over IPv4, IPv6 or a Unix socket";
        return -1;
    }
    *ret_reason = address_in(bp_str_n(bytes.ptr + FIXED, len - FIXED), family, ret_address);
    if (*ret_reason)
        return -1;
    *ret_command = PROXY_NAMED;
    return (long)len;
}
