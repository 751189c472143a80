/* SPDX-License-Identifier: MIT */
/*
 * Schema changes. Foreign keys are checked at the end of each step instead of during it, as SQLite's ALTER TABLE page advises. Who
 * migrates holds a lock on the folder of the file: one on the file itself would be dropped with any descriptor of it that is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "database.h"

struct bp_db_migrator {
    struct database *database;
    struct connection connection; /* not open when there is no file to read */
    int lock;
    char why[300];
};

static int fail(const struct bp_db_migrator *migrator, const struct failure *failure)
{
    char line[1024];
    failure_explain(failure, migrator->database->path, line, sizeof(line));
    return bp_start_error(migrator->database->host, "%s", line);
}

static int fail_now(const struct bp_db_migrator *migrator)
{
    struct failure failure;
    failure_take(&failure, migrator->connection.db);
    return fail(migrator, &failure);
}

/* ---- open and close ---- */

static int take_lock(struct bp_db_migrator *migrator)
{
    const struct database *database = migrator->database;
    const char *slash = strrchr(database->path, '/'); /* the path is absolute */
    char *folder = strndup(database->path, slash == database->path ? 1 : (size_t)(slash - database->path));
    int r;
    if (!folder)
        return BP_NOMEM;
    migrator->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = migrator->lock < 0 ? -1 : flock(migrator->lock, LOCK_EX | LOCK_NB);
    if (r != 0 && errno == EWOULDBLOCK) {
        bp_log(database->host, BP_LOG_INFO, "migrate.waiting", "Another process changes the schema: waiting for it",
               bp_log_cstr("folder", folder));
        do
            r = flock(migrator->lock, LOCK_EX);
        while (r != 0 && errno == EINTR);
    }
    if (r != 0)
        r = bp_start_error(database->host, "%s cannot be locked: %s", folder, strerror(errno));
    free(folder);
    return r;
}

static int open_for_reading(struct bp_db_migrator *migrator)
{
    struct connection_options options = database_connection(migrator->database, true);
    struct failure failure = {0};
    if (access(options.path, F_OK) != 0 && errno == ENOENT)
        return 0;
    return connection_open(&options, &migrator->connection, &failure) == 0 ? 0 : fail(migrator, &failure);
}

static int open_for_writing(struct bp_db_migrator *migrator)
{
    static const char prepare[] = "PRAGMA foreign_keys = OFF;"
                                  "CREATE TABLE IF NOT EXISTS backplane_migrations ("
                                  " owner TEXT NOT NULL,"
                                  " version INTEGER NOT NULL,"
                                  " name TEXT NOT NULL,"
                                  " checksum TEXT NOT NULL,"
                                  " applied_at INTEGER NOT NULL,"
                                  " PRIMARY KEY (owner, version)"
                                  ") STRICT, WITHOUT ROWID";
    struct connection_options options = database_connection(migrator->database, false);
    struct failure failure = {0};
    int status;
    if (connection_open(&options, &migrator->connection, &failure) != 0)
        return fail(migrator, &failure);
    status = take_lock(migrator);
    if (status == 0 && connection_exec(&migrator->connection, prepare, &failure) != SQLITE_OK)
        status = fail(migrator, &failure);
    return status;
}

int database_migrate_open(void *self, bool read_only, struct bp_db_migrator **ret_migrator)
{
    struct bp_db_migrator *migrator = calloc(1, sizeof(*migrator));
    int status;
    if (!migrator)
        return BP_NOMEM;
    migrator->database = self;
    migrator->lock = -1;
    status = read_only ? open_for_reading(migrator) : open_for_writing(migrator);
    if (status != 0)
        database_migrate_close(migrator);
    else
        *ret_migrator = migrator;
    return status;
}

void database_migrate_close(struct bp_db_migrator *migrator)
{
    connection_close(&migrator->connection);
    if (migrator->lock >= 0)
        close(migrator->lock);
    free(migrator);
}

bool database_migrates_at_start(void *self)
{
    (void)self;
    return true;
}

/* ---- history ---- */

static bp_str column(sqlite3_stmt *stmt, int index, struct bp_arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(stmt, index);
    return text ? bp_arena_copy(arena, bp_str_n(text, (size_t)sqlite3_column_bytes(stmt, index))) : (bp_str){0};
}

static int read_rows(struct bp_db_migrator *migrator, sqlite3_stmt *stmt, struct bp_arena *arena,
                     struct bp_db_applied *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sqlite3_step(stmt) != SQLITE_ROW)
            return fail_now(migrator);
        rows[i] = (struct bp_db_applied){.version = (uint32_t)sqlite3_column_int64(stmt, 0),
                                         .name = column(stmt, 1, arena),
                                         .checksum = column(stmt, 2, arena),
                                         .applied_at = sqlite3_column_int64(stmt, 3)};
        if (!rows[i].name.ptr || !rows[i].checksum.ptr)
            return BP_NOMEM;
    }
    return 0;
}

static int prepare(struct bp_db_migrator *migrator, const char *sql, const char *owner, sqlite3_stmt **ret_stmt)
{
    int code = sqlite3_prepare_v2(migrator->connection.db, sql, -1, ret_stmt, NULL);
    return code == SQLITE_OK && owner ? sqlite3_bind_text(*ret_stmt, 1, owner, -1, SQLITE_STATIC) : code;
}

/* One number, which the statement gives for the owner. */
static int count_rows(struct bp_db_migrator *migrator, const char *sql, const char *owner, size_t *ret_count)
{
    sqlite3_stmt *stmt = NULL;
    int status = 0;
    if (prepare(migrator, sql, owner, &stmt) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        *ret_count = (size_t)sqlite3_column_int64(stmt, 0);
    else
        status = fail_now(migrator);
    sqlite3_finalize(stmt);
    return status;
}

/* In a read transaction, so that what is counted is what is read. */
static int read_history(struct bp_db_migrator *migrator, const char *owner, struct bp_arena *arena,
                        struct bp_db_applied **ret_applied, size_t *ret_count)
{
    struct bp_db_applied *rows = NULL;
    sqlite3_stmt *stmt = NULL;
    size_t tables = 0, count = 0;
    int status =
        count_rows(migrator, "SELECT count(*) FROM sqlite_schema WHERE name = 'backplane_migrations'", NULL, &tables);
    if (status == 0 && tables > 0)
        status = count_rows(migrator, "SELECT count(*) FROM backplane_migrations WHERE owner = ?1", owner, &count);
    if (status == 0 && count > 0) {
        rows = bp_arena_array(arena, count, sizeof(*rows));
        if (!rows)
            status = BP_NOMEM;
        else if (prepare(migrator,
                         "SELECT version, name, checksum, applied_at FROM backplane_migrations"
                         " WHERE owner = ?1 ORDER BY version",
                         owner, &stmt) != SQLITE_OK)
            status = fail_now(migrator);
        else
            status = read_rows(migrator, stmt, arena, rows, count);
        sqlite3_finalize(stmt);
    }
    if (status == 0) {
        *ret_applied = rows;
        *ret_count = count;
    }
    return status;
}

int database_migrate_history(struct bp_db_migrator *migrator, const char *owner, struct bp_arena *arena,
                             struct bp_db_applied **ret_applied, size_t *ret_count)
{
    struct failure failure;
    int status;
    if (!migrator->connection.db) {
        *ret_applied = NULL;
        *ret_count = 0;
        return 0;
    }
    if (connection_exec(&migrator->connection, "BEGIN", &failure) != SQLITE_OK)
        return fail(migrator, &failure);
    status = read_history(migrator, owner, arena, ret_applied, ret_count);
    connection_exec(&migrator->connection, "ROLLBACK", &failure);
    return status;
}

/* ---- a step ---- */

static int because(struct bp_db_migrator *migrator, const char *why)
{
    snprintf(migrator->why, sizeof(migrator->why), "%s", why);
    return BP_ERROR;
}

static int because_now(struct bp_db_migrator *migrator)
{
    return sqlite3_errcode(migrator->connection.db) == SQLITE_NOMEM
               ? BP_NOMEM
               : because(migrator, sqlite3_errmsg(migrator->connection.db));
}

static int refuse_commit(void *argument)
{
    *(bool *)argument = true;
    return 1;
}

/* Inside of a transaction, which the text must not end. */
static int run_text(struct bp_db_migrator *migrator, const char *sql)
{
    sqlite3 *db = migrator->connection.db;
    bool ends = false;
    int code, ended;
    int status = 0;
    if (sqlite3_exec(db, "SAVEPOINT step", NULL, NULL, NULL) != SQLITE_OK)
        return because_now(migrator);
    sqlite3_commit_hook(db, refuse_commit, &ends);
    code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_commit_hook(db, NULL, NULL);
    if (code != SQLITE_OK && !ends)
        status = because_now(migrator);
    /* After a ROLLBACK there is no such savepoint, not even when another transaction was begun. */
    ended = status == 0 ? sqlite3_exec(db, "RELEASE step", NULL, NULL, NULL) : SQLITE_OK;
    return ends || ended != SQLITE_OK ? because(migrator, "it must not end the transaction it runs in") : status;
}

/* What the statement finds is wrong: format says how, with its first two columns. */
static int find_none(struct bp_db_migrator *migrator, const char *sql, const char *format)
{
    sqlite3_stmt *stmt = NULL;
    int status = 0;
    int code = prepare(migrator, sql, NULL, &stmt);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        sqlite3_snprintf(sizeof(migrator->why), migrator->why, format, sqlite3_column_text(stmt, 0),
                         sqlite3_column_text(stmt, 1));
        status = BP_ERROR;
    } else if (code != SQLITE_DONE) {
        status = because_now(migrator);
    }
    sqlite3_finalize(stmt);
    return status;
}

/* The check of SQLite's own has nothing against a table that is gone, as long as nothing refers to its rows. */
static int check_foreign_keys(struct bp_db_migrator *migrator)
{
    int status = find_none(migrator, "SELECT \"table\", parent FROM pragma_foreign_key_check",
                           "a row of %s refers to no row of %s");
    return status ? status
                  : find_none(migrator,
                              "SELECT child.name, key.\"table\" FROM sqlite_schema AS child,"
                              " pragma_foreign_key_list(child.name) AS key WHERE child.type = 'table' AND NOT EXISTS"
                              " (SELECT 1 FROM sqlite_schema AS parent WHERE parent.type = 'table'"
                              " AND parent.name = key.\"table\" COLLATE NOCASE)",
                              "%s refers to %s, which is not there");
}

static int record_step(struct bp_db_migrator *migrator, const char *owner, const struct bp_db_applied *record,
                       bool forward)
{
    sqlite3_stmt *stmt = NULL;
    int code = prepare(migrator,
                       forward ? "INSERT INTO backplane_migrations (owner, version, name, checksum, applied_at)"
                                 " VALUES (?1, ?2, ?3, ?4, ?5)"
                               : "DELETE FROM backplane_migrations WHERE owner = ?1 AND version = ?2",
                       owner, &stmt);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(stmt, 2, record->version);
        if (forward) {
            sqlite3_bind_text(stmt, 3, record->name.ptr, (int)record->name.len, SQLITE_STATIC);
            sqlite3_bind_text(stmt, 4, record->checksum.ptr, (int)record->checksum.len, SQLITE_STATIC);
            sqlite3_bind_int64(stmt, 5, record->applied_at);
        }
        code = sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : because_now(migrator);
}

int database_migrate_step(struct bp_db_migrator *migrator, const char *owner, const struct bp_db_applied *record,
                          bool forward, const char *sql, const char **ret_why)
{
    sqlite3 *db = migrator->connection.db;
    struct failure failure;
    int status;
    if (connection_exec(&migrator->connection, "BEGIN IMMEDIATE", &failure) != SQLITE_OK)
        return fail(migrator, &failure);
    status = run_text(migrator, sql);
    if (status == 0)
        status = check_foreign_keys(migrator);
    if (status == 0)
        status = record_step(migrator, owner, record, forward);
    if (status == 0 && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        status = because_now(migrator);
    if (!sqlite3_get_autocommit(db))
        connection_exec(&migrator->connection, "ROLLBACK", &failure);
    if (status == BP_ERROR)
        *ret_why = migrator->why;
    return status;
}
