/* SPDX-License-Identifier: MIT */
/* The statements that a resource runs whatever is asked: insert, find, update, remove. */
#ifndef CORE_RESOURCE_STATEMENTS_H
#define CORE_RESOURCE_STATEMENTS_H

#include "core/resource/resource.h"

/* NULL, or what is wrong. */
const char *statements_compile(struct resource *resource);
/* " WHERE id = $n AND user_id = $m" */
void statements_where_one(struct sql *sql);
/* Nothing is written unless the version is the one that the client has seen. */
void statements_and_version(struct sql *sql);
/* What an update leaves of a member: the value given, or what is there. */
void statements_updated(struct sql *sql, unsigned member);
/* ", version = …, updated_at = …": what every change does. */
void statements_touch(struct sql *sql);
/* The rows of RETURNING are the resource's. */
void statements_returning(struct sql *sql, struct statement *statement);
/* Takes the texts, and adds the cache tag. False: see sql_finish(). */
bool statements_finish_write(struct sql *sql, const char *verb, uint32_t flags, struct statement *ret_statement);

#endif
