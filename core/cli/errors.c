/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "core/cli/admin.h"
#include "core/cli/table.h"

static const char *shown(const char *text)
{
    return *text ? text : "-";
}

static void print(const json_t *root)
{
    const json_t *errors = json_object_get(root, "errors"), *error;
    json_int_t overflow = json_integer_value(json_object_get(root, "overflow"));
    struct table table = {.columns = 7};
    size_t i;

    table_row(&table, (const char *const[]){"COUNT", "LAST", "PLUGIN", "ROUTE", "CODE", "MESSAGE", "REQUEST OR TRACE"});
    json_array_foreach(errors, i, error)
    {
        char count[24];
        const char *trace = cli_admin_text(error, "trace_id");
        (void)snprintf(count, sizeof(count), "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json_object_get(error, "count")));
        table_row(&table,
                  (const char *const[]){count, cli_admin_text(error, "last"), shown(cli_admin_text(error, "plugin")),
                                        shown(cli_admin_text(error, "route")), cli_admin_text(error, "code"),
                                        shown(cli_admin_text(error, "message")),
                                        *trace ? trace : shown(cli_admin_text(error, "request_id"))});
    }
    if (json_array_size(errors) == 0)
        puts("no errors");
    else
        table_print(&table, "", stdout);
    if (overflow > 0)
        printf("and %" JSON_INTEGER_FORMAT " that found the table full\n", overflow);
    table_deinit(&table);
}

int cli_errors(const struct cli_options *options)
{
    return cli_admin_show(options, "errors", print);
}
