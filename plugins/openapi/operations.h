/* SPDX-License-Identifier: MIT */
#ifndef OPENAPI_OPERATIONS_H
#define OPENAPI_OPERATIONS_H

#include "document.h"

/* The operation object of the route of this index. */
json_t *operation_make(struct document *document, size_t index, const struct bp_endpoint *endpoint);
/* "get" */
const char *operation_method(uint32_t method);

#endif
