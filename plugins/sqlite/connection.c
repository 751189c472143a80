/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The log is copied back from this size on; from the second, writers wait for readers so that it can begin anew. */
#define CHECKPOINT_PAGES 1000
#define CHECKPOINT_PAGES_HARD 16000
#define CHECKPOINT_PATIENCE_MS 250

/* Passwords' hashes are inside: nobody else may read it. SQLite gives its other files the mode of this one. */
static int create_file(const char *path, struct failure *failure)
{
    struct stat stat_buffer;
    int fd;
    if (stat(path, &stat_buffer) == 0) {
        if (S_ISREG(stat_buffer.st_mode))
            return 0;
        failure_set(failure, SQLITE_CANTOPEN, "not a regular file");
        return BP_BUSY;
    }
    if (errno == ENOENT) {
        /* Closing a descriptor drops the locks this process has on the file: only for a file that nobody has yet. */
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            close(fd);
            return 0;
        }
        if (errno == EEXIST)
            return 0;
    }
    failure_set(failure, errno == ENOSPC ? SQLITE_FULL : SQLITE_CANTOPEN, "%s", strerror(errno));
    return BP_BUSY;
}

int connection_exec(struct connection *connection, const char *sql, struct failure *failure)
{
    int code = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        failure_take(failure, connection->db);
    return code;
}

static int note_wal_pages(void *argument, sqlite3 *db, const char *name, int pages)
{
    struct connection *connection = argument;
    (void)db;
    (void)name;
    connection->wal_pages = pages;
    return SQLITE_OK;
}

/* Changing to WAL needs the file alone, without SQLite's own waiting: other workers may be starting too. */
static int set_wal(struct connection *connection, bp_span patience, struct failure *failure)
{
    bp_time give_up = bp_clock() + patience;
    for (;;) {
        sqlite3_stmt *stmt = NULL;
        bool is_wal = false;
        int code = sqlite3_prepare_v2(connection->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
        if (code == SQLITE_OK) {
            code = sqlite3_step(stmt);
            if (code == SQLITE_ROW)
                is_wal = strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
        }
        failure_take(failure, connection->db);
        sqlite3_finalize(stmt);
        if (is_wal)
            return SQLITE_OK;
        if (code == SQLITE_ROW) {
            failure_set(failure, SQLITE_CANTOPEN, "its file system does not allow write-ahead logging");
            return SQLITE_CANTOPEN;
        }
        if ((code & 0xff) != SQLITE_BUSY || bp_clock() >= give_up)
            return code;
        sqlite3_sleep(10);
    }
}

static int configure(const struct connection_options *options, struct connection *connection, struct failure *failure)
{
    char sql[300];
    int code;
    sqlite3_extended_result_codes(connection->db, 1);
    sqlite3_busy_timeout(connection->db, (int)(options->busy_timeout / BP_MILLISECOND));
    sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* The first to touch the file: what is no database shows up here. */
    code = set_wal(connection, options->busy_timeout, failure);
    if (code != SQLITE_OK)
        return code;
    /* The schema is that of migrations: their triggers make JSON, and of SQLite's functions for it not all versions say that they are harmless. */
    snprintf(
        sql, sizeof(sql),
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = ON;"
        "PRAGMA cache_size = -%llu; PRAGMA journal_size_limit = %d; PRAGMA query_only = %d;"
        "SELECT count(*) FROM sqlite_schema;",
        (unsigned long long)(options->cache_size / 1024), CHECKPOINT_PAGES_HARD * 4096, options->read_only);
    code = connection_exec(connection, sql, failure);
    if (code == SQLITE_OK && sqlite3_db_readonly(connection->db, "main") == 1) {
        failure_set(failure, SQLITE_READONLY, "read-only");
        code = SQLITE_READONLY;
    }
    /* After commits are acknowledged, not before: see connection_checkpoint(). Replaces SQLite's own rule. */
    sqlite3_wal_hook(connection->db, note_wal_pages, connection);
    return code;
}

int connection_open(const struct connection_options *options, struct connection *connection, struct failure *failure)
{
    int code;
    int status = create_file(options->path, failure);
    if (status != 0)
        return status;
    code = sqlite3_open_v2(options->path, &connection->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        if (connection->db)
            failure_take(failure, connection->db);
        else
            failure_set(failure, code, "%s", sqlite3_errstr(code));
    } else {
        code = configure(options, connection, failure);
    }
    if (code == SQLITE_OK)
        return 0;
    connection_close(connection);
    return failure_status(code) == BP_NOMEM ? BP_NOMEM : BP_BUSY;
}

void connection_close(struct connection *connection)
{
    for (size_t i = 0; i < connection->cap; i++) {
        sqlite3_finalize(connection->prepared[i].stmt);
        free(connection->prepared[i].order);
    }
    free(connection->prepared);
    connection->prepared = NULL;
    connection->cap = connection->len = 0;
    sqlite3_close(connection->db);
    connection->db = NULL;
}

void connection_checkpoint(struct connection *connection, const struct connection_options *options)
{
    if (connection->wal_pages < CHECKPOINT_PAGES)
        return;
    if (connection->wal_pages < CHECKPOINT_PAGES_HARD) {
        sqlite3_wal_checkpoint_v2(connection->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    } else {
        sqlite3_busy_timeout(connection->db, CHECKPOINT_PATIENCE_MS);
        sqlite3_wal_checkpoint_v2(connection->db, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL);
        sqlite3_busy_timeout(connection->db, (int)(options->busy_timeout / BP_MILLISECOND));
    }
    /* When it could not do all, the next commit says so again. */
    connection->wal_pages = 0;
}
