/* SPDX-License-Identifier: MIT */
#include "tests/support/database.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/postgres.h"

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

static char *ask_file(const struct test_server *server, const char *sql)
{
    char path[128], *text = strdup("");
    sqlite3 *db;
    sqlite3_stmt *statement;
    snprintf(path, sizeof(path), "%s/todo.db", server->folder);
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK, "%s", path);
    sqlite3_busy_timeout(db, PATIENCE_MILLISECONDS);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
        free(text);
        text = strdup((const char *)sqlite3_column_text(statement, 0));
        while (status == SQLITE_ROW)
            status = sqlite3_step(statement);
    }
    cr_assert(status == SQLITE_DONE || status == SQLITE_ROW, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return text;
}

char *database_ask(const struct test_server *server, const char *sql)
{
    return server->database[0] ? postgres_ask(server->database, sql) : ask_file(server, sql);
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
