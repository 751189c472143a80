/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/database/span.h"

Test(database_span, summary)
{
    static const struct {
        const char *sql, *operation, *collection;
    } cases[] = {{"SELECT id FROM todos WHERE id = $1", "SELECT", "todos"},
                 {"  select 1", "select", ""},
                 {"INSERT INTO todos (id, title) VALUES ($1, $2)", "INSERT", "todos"},
                 {"INSERT OR IGNORE INTO tags VALUES ($1)", "INSERT", "tags"},
                 {"UPDATE todos SET title = 'from a'", "UPDATE", "todos"},
                 {"UPDATE OR IGNORE todos SET a = 1", "UPDATE", "todos"},
                 {"UPDATE ONLY public.todos SET a = 1", "UPDATE", "public.todos"},
                 {"DELETE FROM \"todos\" WHERE a", "DELETE", "todos"},
                 {"SELECT 'it''s FROM x' FROM y", "SELECT", "y"},
                 {"SELECT 'unfinished FROM x", "SELECT", ""},
                 {"SELECT a FROM (SELECT b FROM inner_table) t", "SELECT", "inner_table"},
                 {"WITH one AS (SELECT a FROM first_table) SELECT * FROM one", "SELECT", "first_table"},
                 {"WITH one AS (SELECT a FROM source) INSERT INTO target SELECT * FROM one", "INSERT", "target"},
                 {"WITH gone AS (DELETE FROM todos RETURNING id) SELECT count(*) FROM gone", "DELETE", "todos"},
                 {"PRAGMA wal_checkpoint", "PRAGMA", ""},
                 {"", "", ""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str operation, collection;
        sql_summary(bp_str_of(cases[i].sql), &operation, &collection);
        cr_expect(bp_str_is(operation, cases[i].operation), "%s: %.*s", cases[i].sql, BP_STR_ARG(operation));
        cr_expect(bp_str_is(collection, cases[i].collection), "%s: %.*s", cases[i].sql, BP_STR_ARG(collection));
    }
}
