/* SPDX-License-Identifier: MIT */
/* Copying a table: rows of the old database in batches by key, each batch in a transaction of the new one. */
#ifndef IMPORT_PRISMA_BATCH_H
#define IMPORT_PRISMA_BATCH_H

#include "backplane/iface/database.h"
#include "source.h"

struct import {
    /* service */
    struct bp_service db;
    struct bp_host *host;
};

struct totals {
    int64_t read, copied, present, skipped;
};

/* What happened to a row. */
enum outcome { OUTCOME_COPIED, OUTCOME_PRESENT, OUTCOME_SKIPPED };

struct table {
    const char *noun;         /* "accounts" */
    const char *first, *next; /* the rows after none, and after the key $1, by key; the key is the first column */
    const char *count_old;    /* how many there are */
    const struct bp_statement *count_new;
    /* Copies a row; SKIPPED has said why. Negative: a status of the database. */
    int (*copy)(const struct import *import, struct bp_tx *tx, const PGresult *rows, int row, struct bp_arena *arena,
                enum outcome *ret_outcome);
};
extern const struct table accounts_table, todos_table;

#define BATCH_ROWS "200" /* a transaction is to end soon: others may wait for it */

/* Copies all of it. 0, or a negative status after saying what is wrong. */
int table_copy(const struct import *import, struct source *source, const struct table *table,
               struct totals *ret_totals);
/* Prints the totals. Whether nothing was skipped, and the new database has at least what the old one has. */
int table_compare(const struct import *import, struct source *source, const struct table *table,
                  const struct totals *totals, bool *ret_complete);

/* A row that cannot be copied, in the log. */
void row_skipped(const struct import *import, const char *what, const char *id, const char *detail, const char *reason);

struct number {
    int64_t value;
};
extern const struct bp_field number_columns[];
/* The one number that the statement gives. */
int ask_number(const struct import *import, struct bp_tx *tx, const struct bp_statement *statement,
               const struct bp_db_value *values, size_t count, struct bp_arena *arena, int64_t *ret_value);

#endif
