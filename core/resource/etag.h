/* SPDX-License-Identifier: MIT */
/* Entity tags made of a version, and the conditions that clients put on them (RFC 9110 8.8.3, 13.1). */
#ifndef CORE_RESOURCE_ETAG_H
#define CORE_RESOURCE_ETAG_H

#include "backplane/str.h"

#define ETAG_MAX 32

/* "\"12\"" */
size_t etag_format(int64_t version, char ret_text[ETAG_MAX]);
/* If-None-Match: true when it names the version, weakly compared, or is "*". */
bool etag_none_match(bp_str field, int64_t version);

enum etag_condition { ETAG_NO_CONDITION, ETAG_ANY, ETAG_ONE, ETAG_SEVERAL, ETAG_NEVER };
/* If-Match, strongly compared. ETAG_ONE: only *ret_version will do. ETAG_NEVER: none that can exist; also a malformed one. */
enum etag_condition etag_match(bp_str field, int64_t *ret_version);
/* Of ETAG_SEVERAL: true when the version is among them. */
bool etag_match_lists(bp_str field, int64_t version);

#endif
