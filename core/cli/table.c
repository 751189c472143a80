/* SPDX-License-Identifier: MIT */
#include "core/cli/table.h"

void table_row(struct table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->columns; i++)
        buffer_add(&table->cells, bp_str_n(cells[i] ? cells[i] : "", cells[i] ? strlen(cells[i]) + 1 : 1));
}

/* Terminal columns, near enough: code points. */
static size_t width(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static const char *next_cell(const struct table *table, const char *cell)
{
    cell = cell ? cell + strlen(cell) + 1 : table->cells.ptr;
    return cell < table->cells.ptr + table->cells.len ? cell : NULL;
}

void table_print(const struct table *table, const char *indent, FILE *out)
{
    size_t widths[TABLE_COLUMNS] = {0}, column = 0, pending = 0;
    if (table->cells.failed || table->cells.len == 0)
        return;
    for (const char *cell = NULL; (cell = next_cell(table, cell)); column = (column + 1) % table->columns)
        if (width(cell) > widths[column])
            widths[column] = width(cell);
    for (const char *cell = NULL; (cell = next_cell(table, cell)); column = (column + 1) % table->columns) {
        if (column == 0)
            fputs(indent, out);
        if (*cell) { /* no line ends with spaces */
            fprintf(out, "%*s%s", (int)pending, "", cell);
            pending = 0;
        }
        pending += widths[column] - width(cell) + 2;
        if (column == table->columns - 1) {
            fputc('\n', out);
            pending = 0;
        }
    }
}

static void print_escaped(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '<')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

void table_print_markdown(const struct table *table, FILE *out)
{
    size_t column = 0, row = 0;
    if (table->cells.failed || table->cells.len == 0)
        return;
    for (const char *cell = NULL; (cell = next_cell(table, cell));) {
        fputs(column == 0 ? "| " : " | ", out);
        print_escaped(cell, out);
        column = (column + 1) % table->columns;
        if (column != 0)
            continue;
        fputs(" |\n", out);
        for (size_t i = 0; row == 0 && i < table->columns; i++)
            fputs(i + 1 < table->columns ? "|---" : "|---|\n", out);
        row++;
    }
}

void table_deinit(struct table *table)
{
    buffer_deinit(&table->cells);
}
