/* SPDX-License-Identifier: MIT */
#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backplane/iface/database.h"
#include "backplane/status.h"

void failure_take(struct failure *failure, sqlite3 *db)
{
    failure->code = sqlite3_extended_errcode(db);
    snprintf(failure->text, sizeof(failure->text), "%s", sqlite3_errmsg(db));
}

void failure_set(struct failure *failure, int code, const char *format, ...)
{
    va_list arguments;
    failure->code = code;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
}

static int constraint(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return BP_DB_UNIQUE;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return BP_DB_FOREIGN;
    default: /* CHECK, NOT NULL, the type of a STRICT table, a trigger's RAISE */
        return BP_DB_CHECK;
    }
}

int failure_status(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_CONSTRAINT:
        return constraint(code);
    case SQLITE_NOMEM:
        return BP_NOMEM;
    case SQLITE_INTERRUPT:
        return BP_CANCELED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
        return BP_BUSY;
    default:
        return BP_ERROR;
    }
}

/* Why the file or its folder cannot be written, in the system's words: SQLite only says "unable to open". */
static const char *access_problem(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t len = slash && slash != path ? (size_t)(slash - path) : 1;
    if (eaccess(path, F_OK) == 0 && eaccess(path, R_OK | W_OK) != 0)
        return strerror(errno);
    if (!slash || len >= sizeof(folder))
        return NULL;
    memcpy(folder, path, len);
    folder[len] = '\0';
    /* SQLite keeps two more files beside the database, so the folder must be writable too. */
    return eaccess(folder, R_OK | W_OK | X_OK) == 0 ? NULL : strerror(errno);
}

void failure_explain(const struct failure *failure, const char *path, char *ret_line, size_t size)
{
    const char *why = access_problem(path);
    switch (failure->code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        snprintf(ret_line, size, "%s is not an SQLite database, or it is damaged (%s)", path, failure->text);
        return;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        snprintf(ret_line, size, "%s is locked by another program", path);
        return;
    case SQLITE_FULL:
        snprintf(ret_line, size, "no space is left for %s", path);
        return;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        snprintf(ret_line, size, "%s, or the folder it is in, cannot be read and written: %s", path,
                 why ? why : failure->text);
        return;
    default:
        snprintf(ret_line, size, "%s cannot be used: %s", path, failure->text);
        return;
    }
}
