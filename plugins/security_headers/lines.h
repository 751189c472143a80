/* SPDX-License-Identifier: MIT */
/* The header lines, built once. */
#ifndef SECURITY_HEADERS_LINES_H
#define SECURITY_HEADERS_LINES_H

#include "backplane/clock.h"
#include "backplane/str.h"

struct security_headers {
    bp_str content_security_policy;
    bp_str frame_options;
    bp_str referrer_policy;
    bp_span hsts_max_age;
    bool hsts_subdomains;
    char *lines; /* on the heap; NULL before init */
    size_t lines_len;
    char *hsts_line; /* NULL: not sent */
    size_t hsts_len;
};

/* Fills lines and hsts_line. False when out of memory. */
bool security_headers_build(struct security_headers *self);
/* True when the text can be a field value: no control characters. */
bool security_headers_valid(bp_str value);

#endif
