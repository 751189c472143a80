/* SPDX-License-Identifier: MIT */
#include "tests/support/database.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/postgres.h"
#include "tests/support/service.h"

_Static_assert((int)POSTGRES_URL_SIZE == (int)SERVER_URL_SIZE, "a URL fits");
enum { PATIENCE_MILLISECONDS = 10000 };

enum database_kind database_kind(void)
{
    const char *name = getenv("TEST_DATABASE");
    if (!name || !*name || strcmp(name, "sqlite") == 0)
        return DATABASE_SQLITE;
    if (strcmp(name, "postgres") == 0)
        return DATABASE_POSTGRES;
    cr_assert_str_eq(name, "pgbouncer", "TEST_DATABASE=%s", name);
    return DATABASE_PGBOUNCER;
}

static const char *needed(const char *name)
{
    const char *value = getenv(name);
    cr_assert(value, "%s is not set: run the program below with_services", name);
    return value;
}

void database_prepare(const char *folder, char ret_url[SERVER_URL_SIZE], char ret_direct[SERVER_URL_SIZE])
{
    char path[128];
    ret_url[0] = ret_direct[0] = '\0';
    if (database_kind() == DATABASE_SQLITE)
        return;
    snprintf(path, sizeof(path), "%s/test-database", folder);
    FILE *file = fopen(path, "r");
    if (file) {
        cr_assert_eq(fscanf(file, "%511s", ret_direct), 1);
    } else {
        postgres_migrated(needed("TEST_POSTGRES_URL"), ret_direct);
        file = fopen(path, "w");
        cr_assert(file && fprintf(file, "%s\n", ret_direct) > 0);
    }
    fclose(file);
    if (database_kind() == DATABASE_PGBOUNCER)
        postgres_url_with(needed("TEST_PGBOUNCER_URL"), "backplane", strrchr(ret_direct, '/') + 1, ret_url);
    else
        snprintf(ret_url, SERVER_URL_SIZE, "%s", ret_direct);
}

typedef void (*row_function)(void *argument, const char *first, const char *second);

static const char *column(sqlite3_stmt *statement, int index)
{
    const char *text =
        index < sqlite3_column_count(statement) ? (const char *)sqlite3_column_text(statement, index) : NULL;
    return text ? text : "";
}

static void each_in_file(const char *folder, const char *sql, row_function function, void *argument)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *statement;
    int status;
    snprintf(path, sizeof(path), "%s/todo.db", folder);
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK, "%s", path);
    sqlite3_busy_timeout(db, PATIENCE_MILLISECONDS);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    while ((status = sqlite3_step(statement)) == SQLITE_ROW)
        function(argument, column(statement, 0), column(statement, 1));
    cr_assert_eq(status, SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

void database_wait(const struct test_server *server, const char *sql, long long expected)
{
    for (long long begun = 0, found; (found = database_integer(server, sql)) != expected;)
        cr_assert(service_patience(&begun, 30000), "%s: %lld, not %lld", sql, found, expected);
}

void database_each(const struct test_server *server, const char *sql, row_function function, void *argument)
{
    if (server->database[0])
        postgres_each(server->database, sql, function, argument);
    else
        each_in_file(server->folder, sql, function, argument);
}

/* The first row's first column, behind a pointer that is NULL until then. */
static void keep_first(void *argument, const char *first, const char *second)
{
    char **text = argument;
    (void)second;
    if (!*text)
        *text = strdup(first);
}

char *database_ask(const struct test_server *server, const char *sql)
{
    char *text = NULL;
    database_each(server, sql, keep_first, &text);
    return text ? text : strdup("");
}

void database_execute(const struct test_server *server, const char *sql)
{
    free(database_ask(server, sql));
}

long long database_integer(const struct test_server *server, const char *sql)
{
    char *text = database_ask(server, sql);
    long long value = atoll(text);
    free(text);
    return value;
}
