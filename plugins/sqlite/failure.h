/* SPDX-License-Identifier: MIT */
/* What SQLite says when something does not work, and what that means to a caller. */
#ifndef SQLITE_FAILURE_H
#define SQLITE_FAILURE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct failure {
    int code; /* SQLite's extended result code; 0: not SQLite's complaint */
    char text[200];
};

/* Copies code and text of the connection's last error. */
void failure_take(struct failure *failure, sqlite3 *db);
void failure_set(struct failure *failure, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The status of the database interface for an extended result code: an enum bp_db_condition, BP_BUSY for what an
 * operator must mend (full, locked, damaged, unreadable), BP_CANCELED for an interrupt, BP_NOMEM, BP_ERROR. */
int failure_status(int code);

/* A line for an operator about a file that could not be opened or written: what is wrong, with its path. */
void failure_explain(const struct failure *failure, const char *path, char *ret_line, size_t size);

#endif
