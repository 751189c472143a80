/* SPDX-License-Identifier: MIT */
/* A message whose texts are not UTF-8 (RFC 3629) is refused as a whole by collectors, and clients may send anything. */
#ifndef TRACING_UTF8_H
#define TRACING_UTF8_H

#include "backplane/str.h"

/* How many bytes from its begin on are valid. */
size_t utf8_valid(bp_str text);
/* Copies it with U+FFFD in the place of every byte that is not valid; ret_text has room for three times its length. Returns the length. */
size_t utf8_repair(bp_str text, char *ret_text);

#endif
