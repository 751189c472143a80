/* SPDX-License-Identifier: MIT */
/* Durable creates a second: by 64 fibers, by one, and the same by SQLite alone with one transaction each. */
#include <stdio.h>

#include "fixture.h"

enum { TOTAL = 20000 };

static const struct bp_statement insert = BP_STATEMENT(
        .name = "todo.create", .flags = BP_SQL_BATCHABLE,
        .sql = "INSERT INTO todo (id, user_id, title, completed, created_at) VALUES ($1, $2, $3, 0, $4) RETURNING id");
static int left;

static void create(void *argument)
{
    static const bp_uuid user = {{1}};
    (void)argument;
    while (left > 0) {
        bp_uuid id = bp_uuid_new();
        left--;
        if (bp_db_query(fixture.service, NULL, &insert,
                        BP_VALUES(bp_db_uuid(&id), bp_db_uuid(&user), bp_db_text(BP_STR("Buy milk and bread")),
                                  bp_db_date(bp_date_now())),
                        NULL, NULL) != 0)
            abort();
    }
}

static double measure(unsigned fibers, int total)
{
    bp_time begun = bp_clock();
    left = total;
    for (unsigned i = 0; i < fibers; i++)
        fixture_begin(create, NULL, BP_FOREVER, NULL);
    fixture_wait();
    return total / ((double)(bp_clock() - begun) / (double)BP_SECOND);
}

static double measure_alone(int total)
{
    struct connection_options options = database_connection(fixture.database, false);
    struct connection connection = {0};
    struct failure failure;
    bp_uuid user = {{1}};
    bp_time begun;
    if (connection_open(&options, &connection, &failure) != 0)
        abort();
    begun = bp_clock();
    for (int i = 0; i < total; i++) {
        bp_uuid id = bp_uuid_new();
        if (connection_run(&connection, &insert,
                           BP_VALUES(bp_db_uuid(&id), bp_db_uuid(&user), bp_db_text(BP_STR("Buy milk and bread")),
                                     bp_db_date(bp_date_now())),
                           NULL, NULL, &failure) != 0)
            abort();
        connection_checkpoint(&connection, &options);
    }
    connection_close(&connection);
    return total / ((double)(bp_clock() - begun) / (double)BP_SECOND);
}

int main(void)
{
    fixture_new();
    if (fixture_exec(
            "PRAGMA journal_mode = WAL; CREATE TABLE todo (id BLOB PRIMARY KEY, user_id BLOB NOT NULL,"
            " title TEXT NOT NULL, completed INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
            "CREATE INDEX todo_user ON todo (user_id, created_at)") != SQLITE_OK ||
        fixture_start_instance() != 0)
        abort();
    for (int round = 0; round < 3; round++) {
        double alone = measure_alone(TOTAL / 8), one = measure(1, TOTAL / 8), many = measure(64, TOTAL);
        printf("one transaction each %.0f/s; one fiber %.0f/s; 64 fibers %.0f/s, %.1f times\n", alone, one, many,
               many / alone);
        fflush(stdout);
    }
    fixture_close();
}
