/* SPDX-License-Identifier: MIT */
/* What must be known of a JSON text before a recursive parser may see it, and where in it something is. */
#ifndef CORE_SCHEMA_SCAN_H
#define CORE_SCHEMA_SCAN_H

#include "backplane/str.h"

#define SCAN_DEPTH_MAX 64

/* Whether the nesting is at most SCAN_DEPTH_MAX and no control byte is in it but white space between tokens; else what is wrong and at which
 * byte. Says nothing else about the syntax. */
bool scan_json(bp_str json, size_t *ret_position, const char **ret_what);
/* Line and column (in code points) of a byte, both from 1. */
void scan_locate(bp_str json, size_t position, unsigned *ret_line, unsigned *ret_column);

#endif
