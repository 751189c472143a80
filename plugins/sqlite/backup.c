/* SPDX-License-Identifier: MIT */
/* A consistent copy of the live database: a snapshot that holds up no writer, checked, and only then given its name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "database.h"

struct backup {
    struct database *database;
    const char *file;
    char *temporary; /* beside the file */
    char *folder;
};

static int fail(const struct backup *backup, const char *why)
{
    return bp_start_error(backup->database->host, "the backup %s could not be made: %s", backup->file, why);
}

/* All pages in one step are one read transaction: the copy cannot be torn, and writers go on beside it. */
static int copy_pages(const struct backup *backup, sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
    int code = copy ? sqlite3_backup_step(copy, -1) : sqlite3_extended_errcode(to);
    sqlite3_backup_finish(copy);
    return code == SQLITE_DONE ? 0 : fail(backup, sqlite3_errstr(code));
}

/* The copy is one self-contained file (no log beside it), and it is whole. */
static int seal(const struct backup *backup, sqlite3 *to)
{
    sqlite3_stmt *stmt = NULL;
    int status = 0;
    int code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(to, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code != SQLITE_ROW)
        status = fail(backup, sqlite3_errmsg(to));
    else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
        status = fail(backup, (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return status;
}

static int copy_database(const struct backup *backup)
{
    struct connection_options options = database_connection(backup->database, true);
    struct connection from = {0};
    struct failure failure = {0};
    sqlite3 *to = NULL;
    char line[1024];
    int status;
    if (access(options.path, F_OK) != 0)
        return bp_start_error(backup->database->host, "there is no database %s to back up: %s", options.path,
                              strerror(errno));
    if (connection_open(&options, &from, &failure) != 0) {
        failure_explain(&failure, options.path, line, sizeof(line));
        return bp_start_error(backup->database->host, "%s", line);
    }
    if (sqlite3_open_v2(backup->temporary, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        status = fail(backup, to ? sqlite3_errmsg(to) : strerror(ENOMEM));
    else
        status = copy_pages(backup, from.db, to);
    if (status == 0)
        status = seal(backup, to);
    sqlite3_close(to);
    connection_close(&from);
    return status;
}

static int flush(const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

/* The name appears when the bytes are on the disk, and never in the place of another file. */
static int give_name(const struct backup *backup)
{
    int error = flush(backup->temporary, 0);
    if (error != 0)
        return fail(backup, strerror(error));
    if (renameat2(AT_FDCWD, backup->temporary, AT_FDCWD, backup->file, RENAME_NOREPLACE) != 0)
        return fail(backup, strerror(errno));
    error = flush(backup->folder, O_DIRECTORY);
    return error == 0 ? 0 : fail(backup, strerror(error));
}

static int make(const struct backup *backup)
{
    int status;
    int fd;
    if (access(backup->file, F_OK) == 0)
        return fail(backup, strerror(EEXIST));
    fd = open(backup->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(backup, strerror(errno));
    close(fd);
    status = copy_database(backup);
    if (status == 0)
        status = give_name(backup);
    if (status != 0)
        unlink(backup->temporary);
    return status;
}

int database_backup(void *self, const char *file)
{
    struct backup backup = {.database = self, .file = file};
    const char *slash = strrchr(file, '/');
    int status = BP_NOMEM;
    backup.folder = slash ? strndup(file, slash == file ? 1 : (size_t)(slash - file)) : strdup(".");
    if (asprintf(&backup.temporary, "%s.%d.tmp", file, (int)getpid()) < 0)
        backup.temporary = NULL;
    if (backup.folder && backup.temporary)
        status = make(&backup);
    free(backup.folder);
    free(backup.temporary);
    return status;
}
