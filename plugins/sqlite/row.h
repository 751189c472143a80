/* SPDX-License-Identifier: MIT */
/* Between values, columns and C structs. */
#ifndef SQLITE_ROW_H
#define SQLITE_ROW_H

#include <sqlite3.h>

#include "backplane/iface/database.h"
#include "failure.h"

/* Binds one value. Texts are borrowed until the statement is reset. An SQLite result code, SQLITE_MISUSE for a type
 * that is no value. */
int row_bind(sqlite3_stmt *stmt, int parameter, const struct bp_db_value *value);
/* Stores the columns of the current row into a zeroed object; texts are copied into the arena. 0, BP_NOMEM, or
 * BP_ERROR (a column of another type). */
int row_decode(sqlite3_stmt *stmt, const struct bp_field *rows, struct bp_arena *arena, void *object,
               struct failure *failure);

#endif
