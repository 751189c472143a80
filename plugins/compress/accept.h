/* SPDX-License-Identifier: MIT */
/* Accept-Encoding (RFC 9110 12.5.3). */
#ifndef PLUGINS_COMPRESS_ACCEPT_H
#define PLUGINS_COMPRESS_ACCEPT_H

#include "backplane/str.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BROTLI, CODING_COUNT };

/* "gzip", "br" */
bp_str coding_name(enum coding coding);
/* The coding to answer with, of those that offered names (1u << CODING_GZIP | …): the one that the client weighs most, brotli before gzip where it has no
 * preference. Identity where it wants none of them, or weighs identity more. Pure. */
enum coding accept_choose(bp_str field, unsigned offered);

#endif
