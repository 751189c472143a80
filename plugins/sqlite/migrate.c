/* SPDX-License-Identifier: MIT */
/*
 * Schema migrations. Each is applied in a transaction that first reads the history again, so several processes may
 * try at once. Foreign keys are checked at the end of each instead of during it, as SQLite's ALTER TABLE page advises.
 */
#include <sodium.h>
#include <stdio.h>

#include "database.h"

#define CHECKSUM_BYTES 32u
#define CHECKSUM_HEX (2 * CHECKSUM_BYTES + 1)

static const char history_table[] = "CREATE TABLE IF NOT EXISTS backplane_migrations ("
                                    " owner TEXT NOT NULL,"
                                    " version INTEGER NOT NULL,"
                                    " name TEXT NOT NULL,"
                                    " checksum TEXT NOT NULL,"
                                    " applied_at INTEGER NOT NULL,"
                                    " PRIMARY KEY (owner, version)"
                                    ") STRICT, WITHOUT ROWID";

struct migrator {
    struct database *database;
    struct connection connection;
    const char *owner;
    const struct bp_migration *migrations;
    unsigned count;
};

static void checksum_of(const struct bp_migration *migration, char ret_hex[CHECKSUM_HEX])
{
    unsigned char hash[CHECKSUM_BYTES];
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)migration->up, strlen(migration->up), NULL, 0);
    sodium_bin2hex(ret_hex, CHECKSUM_HEX, hash, sizeof(hash));
}

static int fail(struct migrator *migrator, const struct failure *failure)
{
    char line[1024];
    failure_explain(failure, migrator->database->path, line, sizeof(line));
    return bp_start_error(migrator->database->host, "%s", line);
}

static int fail_step(struct migrator *migrator, const struct bp_migration *migration, const char *why)
{
    return bp_start_error(migrator->database->host, "migration %u (%s) of %s failed and was undone: %s",
                          migration->version, migration->name, migrator->owner, why);
}

/* One row of the history against what the plugin has. */
static int check_applied(struct migrator *migrator, sqlite3_stmt *stmt)
{
    struct bp_host *host = migrator->database->host;
    long long version = sqlite3_column_int64(stmt, 0);
    const char *name = (const char *)sqlite3_column_text(stmt, 1);
    const char *checksum = (const char *)sqlite3_column_text(stmt, 2);
    const struct bp_migration *migration;
    char expected[CHECKSUM_HEX];
    if (!name || !checksum)
        return BP_NOMEM;
    if (version < 1 || version > migrator->count)
        return bp_start_error(
            host,
            "the database has migration %lld (%s) of %s, but this version of the program knows only %u: "
            "a newer one has used it",
            version, name, migrator->owner, migrator->count);
    migration = &migrator->migrations[version - 1];
    checksum_of(migration, expected);
    if (strcmp(name, migration->name) != 0)
        return bp_start_error(host, "migration %lld of %s was applied as \"%s\", but is \"%s\" here", version,
                              migrator->owner, name, migration->name);
    if (strcmp(checksum, expected) != 0)
        return bp_start_error(host, "migration %lld (%s) of %s was changed after it had been applied", version, name,
                              migrator->owner);
    return 0;
}

/* Checks the whole history of the owner; how many of its migrations are applied. */
static int read_history(struct migrator *migrator, unsigned *ret_applied)
{
    static const char sql[] =
        "SELECT version, name, checksum FROM backplane_migrations WHERE owner = ?1 ORDER BY version";
    struct failure failure;
    sqlite3_stmt *stmt = NULL;
    unsigned applied = 0;
    int status = 0;
    int code = sqlite3_prepare_v2(migrator->connection.db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(stmt, 1, migrator->owner, -1, SQLITE_STATIC);
    while (code == SQLITE_OK && status == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        status = check_applied(migrator, stmt);
        applied++;
        code = SQLITE_OK;
        if (status == 0 && sqlite3_column_int64(stmt, 0) != applied)
            status =
                bp_start_error(migrator->database->host, "the database lacks migration %u of %s, but has later ones",
                               applied, migrator->owner);
    }
    if (status == 0 && code != SQLITE_DONE) {
        failure_take(&failure, migrator->connection.db);
        status = fail(migrator, &failure);
    }
    sqlite3_finalize(stmt);
    if (status == 0)
        *ret_applied = applied;
    return status;
}

static int check_foreign_keys(struct migrator *migrator, const struct bp_migration *migration)
{
    sqlite3_stmt *stmt = NULL;
    char why[200];
    int status = 0;
    int code = sqlite3_prepare_v2(migrator->connection.db, "PRAGMA foreign_key_check", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        snprintf(why, sizeof(why), "a row of %s refers to no row of %s", (const char *)sqlite3_column_text(stmt, 0),
                 (const char *)sqlite3_column_text(stmt, 2));
        status = fail_step(migrator, migration, why);
    } else if (code != SQLITE_DONE) {
        status = fail_step(migrator, migration, sqlite3_errmsg(migrator->connection.db));
    }
    sqlite3_finalize(stmt);
    return status;
}

static int record(struct migrator *migrator, const struct bp_migration *migration)
{
    static const char sql[] = "INSERT INTO backplane_migrations (owner, version, name, checksum, applied_at)"
                              " VALUES (?1, ?2, ?3, ?4, ?5)";
    char checksum[CHECKSUM_HEX];
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(migrator->connection.db, sql, -1, &stmt, NULL);
    checksum_of(migration, checksum);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(stmt, 1, migrator->owner, -1, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 2, migration->version);
        sqlite3_bind_text(stmt, 3, migration->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 4, checksum, -1, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 5, bp_date_now());
        code = sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : fail_step(migrator, migration, sqlite3_errmsg(migrator->connection.db));
}

/* Inside of a transaction. */
static int apply(struct migrator *migrator, const struct bp_migration *migration)
{
    struct failure failure;
    int status;
    if (connection_exec(&migrator->connection, migration->up, &failure) != SQLITE_OK)
        return fail_step(migrator, migration, failure.text);
    if (sqlite3_get_autocommit(migrator->connection.db))
        return fail_step(migrator, migration, "it must not end the transaction it runs in");
    status = check_foreign_keys(migrator, migration);
    if (status == 0)
        status = record(migrator, migration);
    if (status == 0 && connection_exec(&migrator->connection, "COMMIT", &failure) != SQLITE_OK)
        return fail_step(migrator, migration, failure.text);
    return status;
}

/* One transaction: true in *ret_done when nothing is missing. */
static int step(struct migrator *migrator, bool *ret_done)
{
    struct failure failure;
    unsigned applied = 0;
    int status;
    if (connection_exec(&migrator->connection, "BEGIN IMMEDIATE", &failure) != SQLITE_OK ||
        connection_exec(&migrator->connection, history_table, &failure) != SQLITE_OK) {
        status = fail(migrator, &failure);
    } else {
        status = read_history(migrator, &applied);
        if (status == 0 && applied < migrator->count)
            status = apply(migrator, &migrator->migrations[applied]);
        else if (status == 0)
            *ret_done = true;
    }
    if (!sqlite3_get_autocommit(migrator->connection.db))
        connection_exec(&migrator->connection, "ROLLBACK", &failure);
    return status;
}

static int check_table(struct migrator *migrator)
{
    while (migrator->migrations[migrator->count].size != 0) {
        const struct bp_migration *migration = &migrator->migrations[migrator->count++];
        if (migration->version != migrator->count || !migration->name || !migration->up)
            return bp_start_error(migrator->database->host, "migration %u of %s has no text, or another number (%u)",
                                  migrator->count, migrator->owner, migration->version);
    }
    return 0;
}

int database_migrate(void *self, const char *owner, const struct bp_migration *migrations, unsigned *ret_applied)
{
    struct database *database = self;
    struct migrator migrator = {.database = database, .owner = owner, .migrations = migrations};
    struct connection_options options = database_connection(database, false);
    struct failure failure = {0};
    unsigned applied = 0;
    bool done = false;
    int status = check_table(&migrator);
    if (status != 0)
        return status;
    if (connection_open(&options, &migrator.connection, &failure) != 0)
        return fail(&migrator, &failure);
    if (connection_exec(&migrator.connection, "PRAGMA foreign_keys = OFF", &failure) != SQLITE_OK)
        status = fail(&migrator, &failure);
    while (status == 0 && !done) {
        status = step(&migrator, &done);
        if (status == 0 && !done)
            applied++;
    }
    connection_close(&migrator.connection);
    if (status == 0)
        *ret_applied = applied;
    return status;
}
