/* SPDX-License-Identifier: MIT */
/* "name=value,other=value", as OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS are written: values percent-encoded, white space around them
 * ignored. */
#ifndef TRACING_PAIRS_H
#define TRACING_PAIRS_H

#include "backplane/str.h"

struct pair {
    const char *name; /* NUL behind both */
    bp_str value;
};

struct pairs {
    struct pair *items;
    size_t count;
    char *text; /* what they point to */
};

enum pairs_result { PAIRS_NOMEM = -2, PAIRS_MALFORMED = 1 };
/* Members that are empty are left out, of several with one name the last counts. 0, PAIRS_MALFORMED and *ret_wrong the member, or PAIRS_NOMEM. */
int pairs_parse(bp_str text, struct pairs *ret_pairs, bp_str *ret_wrong);
void pairs_deinit(struct pairs *pairs);

#endif
