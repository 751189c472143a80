/* SPDX-License-Identifier: MIT */
/* Rows of options as a table for people, or for a document. */
#ifndef CORE_CLI_OPTION_TABLE_H
#define CORE_CLI_OPTION_TABLE_H

#include <stdbool.h>

#include "backplane/field.h"

/* rows may be NULL. Writes to standard output. */
void option_table_print(const struct bp_field *rows, bool markdown);

#endif
