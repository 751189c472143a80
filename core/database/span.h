/* SPDX-License-Identifier: MIT */
/* Database operations in traces. */
#ifndef CORE_DATABASE_SPAN_H
#define CORE_DATABASE_SPAN_H

#include "backplane/iface/database.h"
#include "backplane/trace.h"

/* What a statement does first, and to which table: "SELECT", "todos". collection may be empty. Texts point into sql, or are literals. Pure. */
void sql_summary(bp_str sql, bp_str *ret_operation, bp_str *ret_collection);

/* NULL when nothing records. */
struct bp_trace_span *database_span_begin(const char *system, const struct bp_statement *statement);
/* "BEGIN", "COMMIT", "ROLLBACK" */
struct bp_trace_span *database_span_command(const char *system, const char *command);
/* status: of the operation; a condition is none of its failures. */
void database_span_end(struct bp_trace_span *span, int status);

#endif
