/* SPDX-License-Identifier: MIT */
/* JSON Patch (RFC 6902) with JSON Pointer (RFC 6901), on jansson's values. Pure. */
#ifndef CORE_RESOURCE_JSON_PATCH_H
#define CORE_RESOURCE_JSON_PATCH_H

#include <jansson.h>

#define JSON_PATCH_OPERATIONS 100
#define JSON_PATCH_NODES 20000 /* values in the document at any time: copies of copies end here */

enum json_patch_condition {
    JSON_PATCH_MALFORMED = 1, /* no patch at all */
    JSON_PATCH_FAILED,        /* an operation cannot be done: no such place, too large */
    JSON_PATCH_TEST           /* a "test" found another value */
};

/* Applies all operations to *document, or leaves it as it was. *ret_operation: the index of the one that failed; *ret_why: a
 * literal. BP_NOMEM, 0 or a condition. */
int json_patch_apply(json_t **document, const json_t *patch, size_t *ret_operation, const char **ret_why);

#endif
