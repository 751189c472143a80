/* SPDX-License-Identifier: MIT */
/* "POST /api/v1/auth/login": which requests an entry of costs or exempt_routes means. Knows no request. */
#ifndef MATCH_H
#define MATCH_H

#include "backplane/str.h"

struct match {
    bp_str method; /* empty: every one */
    bp_str path;   /* of a request or a route's template; without the star */
    bool prefix;   /* it ended in a star */
};

/* "[METHOD ]/path", with a "*" at the end for everything that begins so. NULL, or what is wrong with it. */
const char *match_parse(bp_str text, struct match *ret_match);
/* route: the template, empty without one. */
bool match_fits(const struct match *match, bp_str method, bp_str path, bp_str route);

#endif
