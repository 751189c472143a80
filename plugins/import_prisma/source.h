/* SPDX-License-Identifier: MIT */
/* The old system's database: read through one connection, as it was at one moment. Everything suspends. */
#ifndef IMPORT_PRISMA_SOURCE_H
#define IMPORT_PRISMA_SOURCE_H

#include <libpq-fe.h>

#include "backplane/backplane.h"

struct source {
    PGconn *pg;
};

/* Begins a transaction that sees one moment and may not write. 0, or a negative status after saying on standard error what is wrong. */
int source_open(struct source *source, const char *url);
void source_close(struct source *source);
/* Rows of a statement; value is $1, or NULL for none. PQclear() the result. */
int source_read(struct source *source, const char *sql, const char *value, PGresult **ret_rows);

/* Milliseconds since 1970, as text, of a column of type timestamp, which the old system means in UTC. */
#define SOURCE_DATE(column) "round(extract(epoch FROM " column ") * 1000)::bigint"

#endif
