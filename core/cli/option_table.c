/* SPDX-License-Identifier: MIT */
#include "core/cli/option_table.h"

#include <stdio.h>

#include "core/cli/table.h"
#include "core/schema/schema.h"

static void describe_default(const struct bp_field *row, bool markdown, struct buffer *out)
{
    const char *quote = markdown ? "`" : "";
    if (row->flags & BP_REQUIRED)
        buffer_add(out, BP_STR("required"));
    else if (row->def && row->def[0])
        buffer_printf(out, "%s%s%s", quote, row->def, quote);
    else if (row->def)
        buffer_add(out, BP_STR("empty"));
}

static void add_option(struct table *table, const struct bp_field *row, bool markdown)
{
    struct buffer name = {0}, type = {0}, def = {0}, doc = {0};
    buffer_printf(&name, markdown ? "`%s`" : "%s", row->name);
    schema_describe_type(row, &type);
    describe_default(row, markdown, &def);
    buffer_printf(&doc, "%s%s", row->doc ? row->doc : "",
                  (row->flags & BP_STAGE) ? " May differ from stage to stage." : "");
    struct buffer *cells[] = {&name, &type, &def, &doc};
    for (size_t i = 0; i < 4; i++)
        buffer_add_char(cells[i], 0);
    table_row(table, (const char *const[]){name.ptr, type.ptr, def.ptr, doc.ptr});
    for (size_t i = 0; i < 4; i++)
        buffer_deinit(cells[i]);
}

void option_table_print(const struct bp_field *rows, bool markdown)
{
    struct table table = {.columns = 4};
    if (!rows || rows->type == BP_TYPE_END) {
        puts(markdown ? "No options." : "no options");
        return;
    }
    table_row(&table, markdown ? (const char *const[]){"Option", "Type", "Default", "Meaning"}
                               : (const char *const[]){"OPTION", "TYPE", "DEFAULT", "MEANING"});
    for (const struct bp_field *row = rows; row->type != BP_TYPE_END; row++)
        add_option(&table, row, markdown);
    if (markdown)
        table_print_markdown(&table, stdout);
    else
        table_print(&table, "", stdout);
    table_deinit(&table);
}
