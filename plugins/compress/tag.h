/* SPDX-License-Identifier: MIT */
/*
 * Entity tags of compressed replies. Two representations need two strong tags (RFC 9110 8.8.3.3): that of a compressed one gets a suffix, and
 * what a client says of such tags is understood again: "7" is sent as "7-gzip", and If-Match: "7-gzip" reaches the handler as "7".
 */
#ifndef PLUGINS_COMPRESS_TAG_H
#define PLUGINS_COMPRESS_TAG_H

#include "accept.h"
#include "backplane/arena.h"

/* "7" → "7-gzip". A weak one stays as it is. ptr is NULL when out of memory. */
bp_str tag_add(struct bp_arena *arena, bp_str tag, enum coding coding);
/* The list of If-Match or If-None-Match without our suffixes. ptr is NULL when none of them has one, or when out of memory. */
bp_str tag_strip(struct bp_arena *arena, bp_str list);
/* Whether a list names the tag as it is with the suffix of this coding. Pure. */
bool tag_listed(bp_str list, bp_str tag, enum coding coding);

#endif
