/* SPDX-License-Identifier: MIT */
/* Text in columns, as wide as their widest cell. */
#ifndef CORE_CLI_TABLE_H
#define CORE_CLI_TABLE_H

#include <stdio.h>

#include "core/base/buffer.h"

#define TABLE_COLUMNS 7

struct table {
    size_t columns;
    struct buffer cells; /* each ends with a NUL */
};

/* One row: as many texts as there are columns; NULL is an empty cell. */
void table_row(struct table *table, const char *const *cells);
/* Columns two spaces apart, each line after the indent. */
void table_print(const struct table *table, const char *indent, FILE *out);
/* As Markdown; the first row is the head. */
void table_print_markdown(const struct table *table, FILE *out);
void table_deinit(struct table *table);

#endif
