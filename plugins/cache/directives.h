/* SPDX-License-Identifier: MIT */
/* What Cache-Control and If-None-Match say (RFC 9110 13, RFC 9111 5.2). */
#ifndef CACHE_DIRECTIVES_H
#define CACHE_DIRECTIVES_H

#include "backplane/str.h"

/* A request's Cache-Control. */
struct request_directives {
    bool no_read; /* no-cache, no-store, max-age=0: the client wants it from the handler */
    bool no_fill; /* no-store */
};
struct request_directives directives_of_request(bp_str cache_control);
/* Whether a reply's Cache-Control lets it be kept. identified: it is kept for one user only, so private is no obstacle. */
bool directives_allow(bp_str cache_control, bool identified);
/* Weak comparison, as If-None-Match asks for; "*" matches any. */
bool etag_matches(bp_str if_none_match, bp_str etag);

#endif
