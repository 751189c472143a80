/* SPDX-License-Identifier: MIT */
/* The statements that a resource runs whatever is asked: insert, find, update, remove. */
#ifndef CORE_RESOURCE_STATEMENTS_H
#define CORE_RESOURCE_STATEMENTS_H

#include "core/resource/resource.h"

/* NULL, or what is wrong. */
const char *statements_compile(struct resource *resource);
/* " WHERE id = $n AND user_id = $m" */
void statements_where_one(struct sql *sql);

#endif
