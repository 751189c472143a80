/* SPDX-License-Identifier: MIT */
/* The PROXY protocol, version 2 (HAProxy's proxy-protocol.txt, section 2.2): who a connection is from, said before its first byte. */
#ifndef CORE_HTTP_PROXY_HEADER_H
#define CORE_HTTP_PROXY_HEADER_H

#include "backplane/network.h"

/* Addresses take 216 bytes at most; what proxies add behind them (TLVs) is skipped. */
#define PROXY_HEADER_MAX 4096u

enum proxy_command {
    PROXY_LOCAL,   /* the proxy's own connection, a health check: its address is the peer's */
    PROXY_UNKNOWN, /* from somebody whom the proxy cannot name */
    PROXY_NAMED
};

/*
 * Reads the header at the begin of bytes. > 0: its length, and *ret_command (and for PROXY_NAMED *ret_address) say what it says; 0: more
 * bytes are needed; -1: it is none, and *ret_reason, a literal, says why. What the first bytes decide is decided by them: nobody waits for the
 * rest of a header that cannot become one.
 */
long proxy_header_parse(bp_str bytes, enum proxy_command *ret_command, struct bp_address *ret_address,
                        const char **ret_reason);

#endif
