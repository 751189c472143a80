/* SPDX-License-Identifier: MIT */
/*
 * Addresses and networks as configurations and header fields write them. An address is 4 bytes, 16 bytes, or none for a Unix
 * socket, in network order; an IPv4 address mapped into IPv6 is the IPv4 address. Every function is pure and thread-safe.
 */
#ifndef BACKPLANE_NETWORK_H
#define BACKPLANE_NETWORK_H

#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An address of the Internet, or of a Unix socket. */
struct bp_address {
    uint8_t bytes[16];
    uint8_t len; /* 4, 16, or 0: a Unix socket */
};

/* All addresses that begin with the same bits. */
struct bp_network {
    struct bp_address address;
    uint8_t bits; /* of the prefix */
};

/* "10.0.0.1", "::1", without brackets or a zone. False when it is none. */
bool bp_address_parse(bp_str text, struct bp_address *ret_address);
/* From 4 or 16 bytes in network order, or none. */
struct bp_address bp_address_of(bp_str bytes);
/* "10.0.0.0/8", "::1" (that address alone), "unix". NULL, or what is wrong with it, to be put behind the text: "holds no …". */
const char *bp_network_parse(bp_str text, struct bp_network *ret_network);
/* Whether the network holds the address, given as bp_request_client_bytes() gives it. */
bool bp_network_holds(const struct bp_network *network, bp_str address);
/* Whether one of count networks does. */
bool bp_networks_hold(const struct bp_network *networks, size_t count, bp_str address);

#ifdef __cplusplus
}
#endif
#endif
