/* SPDX-License-Identifier: MIT */
/* Which origins may read replies. */
#ifndef CORS_ORIGINS_H
#define CORS_ORIGINS_H

#include "backplane/str.h"

/* True when the option is "*": any origin, without credentials. */
bool cors_any(bp_str option);
/* True when origin is one of the comma-separated list; compared byte by byte, as browsers send it. */
bool cors_allows(bp_str option, bp_str origin);
/* NULL when every entry looks like an origin (scheme://host[:port], no path), else what is wrong. */
const char *cors_check(bp_str option, bp_str *ret_entry);

#endif
