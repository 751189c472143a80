/* SPDX-License-Identifier: MIT */
/*
 * Whom the proxies name as the client. Each proxy appends whom it was connected to, so the list is read from the right, as long as the
 * hop that says something is one that is trusted; what stands left of the first that is not may be anybody's invention.
 */
#ifndef CORE_HTTP_FORWARDED_H
#define CORE_HTTP_FORWARDED_H

#include "backplane/network.h"
#include "core/http/parser.h"

/* The one header field that the proxies set. A client can send the other one through them: it is never looked at. */
enum forwarded_header { FORWARDED_X, FORWARDED_STANDARD };

enum forwarded_word { FORWARDED_SILENT, FORWARDED_PLAIN, FORWARDED_SECURE };

/* More hops than this are not followed. */
#define FORWARDED_HOPS 32u

/*
 * address: the peer's, which is trusted; becomes the last believable hop's. *ret_word: how the client came, by the word of the hop that
 * named it. A malformed element, "unknown" and obfuscated names end the walk: the hop that wrote them is then the client.
 */
void forwarded_walk(const struct parser_head *head, enum forwarded_header header, const struct bp_network *trusted,
                    size_t count, struct bp_address *address, enum forwarded_word *ret_word);

#endif
