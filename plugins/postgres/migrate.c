/* SPDX-License-Identifier: MIT */
#include "migrate.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/backplane.h"

/* Of the advisory lock: "bpmigrat". One for a database, whatever its schemas: migrations are rare. */
#define LOCK "7093289712583074164"

#define WHY_SIZE 500

struct bp_db_migrator {
    struct bp_host *host;
    PGconn *pg;
    char *settings; /* SQL */
    char *table;    /* with its schema, quoted: a migration may change the search path */
    bool has_table;
    int backend; /* the server's process that holds the lock */
    char why[WHY_SIZE];
};

/* ---- what the server says ---- */

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);
    return text ? text : "";
}

/* In which line of the migration's text; 0: it does not say. */
static unsigned line_of(const PGresult *result, const char *sql)
{
    unsigned long position = strtoul(field(result, PG_DIAG_INTERNAL_POSITION), NULL, 10); /* characters, from 1 on */
    unsigned line = 1;
    if (position == 0 || !sql)
        return 0;
    for (const char *c = sql; *c && position > 0; c++) {
        position -= ((unsigned char)*c & 0xc0) != 0x80;
        line += *c == '\n' && position > 0;
    }
    return line;
}

static void note(struct bp_db_migrator *migrator, const PGresult *result, const char *sql)
{
    const char *state = field(result, PG_DIAG_SQLSTATE);
    const char *message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = field(result, PG_DIAG_MESSAGE_DETAIL);
    unsigned line = line_of(result, sql);
    char where[32] = "";
    if (!message[0])
        message = PQerrorMessage(migrator->pg);
    if (line > 0)
        snprintf(where, sizeof(where), "line %u: ", line);
    if (sql && strcmp(state, "0A000") == 0 && strstr(field(result, PG_DIAG_SOURCE_FUNCTION), "exec_stmt_dynexecute") &&
        strstr(message, "transaction"))
        snprintf(migrator->why, WHY_SIZE, "it must not end the transaction it runs in");
    else if (strcmp(state, "55P03") == 0)
        snprintf(migrator->why, WHY_SIZE, "%s%s: another session uses the table; try again when it is done", where,
                 message);
    else
        snprintf(migrator->why, WHY_SIZE, "%s%.*s%s%s%s", where, (int)strcspn(message, "\n"), message,
                 detail[0] ? " (" : "", detail, detail[0] ? ")" : "");
}

static bool is_fine(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* What went wrong is in migrator->why: BP_BUSY when the server is gone. NULL values: none. */
static int ask(struct bp_db_migrator *migrator, const char *sql, const char *const *values, int count,
               PGresult **ret_result)
{
    PGresult *result =
        count > 0 ? PQexecParams(migrator->pg, sql, count, NULL, values, NULL, NULL, 0) : PQexec(migrator->pg, sql);
    if (is_fine(result)) {
        if (ret_result)
            *ret_result = result;
        else
            PQclear(result);
        return 0;
    }
    note(migrator, result, NULL);
    PQclear(result);
    return PQstatus(migrator->pg) == CONNECTION_OK ? BP_ERROR : BP_BUSY;
}

static int run(struct bp_db_migrator *migrator, const char *sql)
{
    return ask(migrator, sql, NULL, 0, NULL);
}

/* The first column of the only row, from malloc; NULL when it is NULL. */
static int ask_text(struct bp_db_migrator *migrator, const char *sql, char **ret_text)
{
    PGresult *result;
    int status = ask(migrator, sql, NULL, 0, &result);
    if (status != 0)
        return status;
    *ret_text = PQntuples(result) == 1 && !PQgetisnull(result, 0, 0) ? strdup(PQgetvalue(result, 0, 0)) : NULL;
    PQclear(result);
    return 0;
}

static int say(struct bp_db_migrator *migrator, int status, const char *what)
{
    (void)bp_start_error(migrator->host, "%s: %s", what, migrator->why);
    return status;
}

/* ---- open and close ---- */

static int make_settings(struct bp_db_migrator *migrator, const struct migrate_options *options)
{
    char *schema = options->schema ? PQescapeIdentifier(migrator->pg, options->schema, strlen(options->schema)) : NULL;
    char *path = schema ? PQescapeLiteral(migrator->pg, schema, strlen(schema)) : NULL;
    bool fine = !options->schema || path;
    if (fine &&
        asprintf(&migrator->settings,
                 "RESET ALL; SET client_min_messages = warning; SET statement_timeout = 0;"
                 "SET idle_in_transaction_session_timeout = 0; SET lock_timeout = %" PRId64
                 "; SELECT pg_catalog.set_config('search_path', coalesce(%s, current_setting('search_path')), false)",
                 options->lock_timeout / BP_MILLISECOND, path ? path : "NULL") < 0) {
        migrator->settings = NULL;
        fine = false;
    }
    PQfreemem(path);
    PQfreemem(schema);
    return fine ? 0 : BP_NOMEM;
}

static int find_table(struct bp_db_migrator *migrator)
{
    int status = ask_text(migrator, "SELECT pg_catalog.quote_ident(current_schema()) || '.backplane_migrations'",
                          &migrator->table);
    if (status == 0 && !migrator->table) {
        snprintf(migrator->why, WHY_SIZE, "no schema of the search path exists, or may be used");
        status = BP_ERROR;
    }
    if (status == 0) {
        const char *values[] = {migrator->table};
        PGresult *result;
        status = ask(migrator, "SELECT pg_catalog.to_regclass($1)", values, 1, &result);
        if (status == 0) {
            migrator->has_table = !PQgetisnull(result, 0, 0);
            PQclear(result);
        }
    }
    return status;
}

/* Without IF NOT EXISTS alone: that wants the right to create tables also where there is one. */
static int make_table(struct bp_db_migrator *migrator)
{
    char *sql = NULL;
    int status;
    if (migrator->has_table)
        return 0;
    if (asprintf(&sql,
                 "CREATE TABLE IF NOT EXISTS %s (owner text NOT NULL, version integer NOT NULL, name text NOT NULL,"
                 " checksum text NOT NULL, applied_at timestamptz NOT NULL, PRIMARY KEY (owner, version))",
                 migrator->table) < 0)
        return BP_NOMEM;
    status = run(migrator, sql);
    migrator->has_table = status == 0;
    free(sql);
    return status;
}

static int take_lock(struct bp_db_migrator *migrator)
{
    char *taken = NULL, *backend = NULL;
    int status = ask_text(migrator, "SELECT pg_try_advisory_lock(" LOCK ")", &taken);
    if (status == 0 && (!taken || strcmp(taken, "t") != 0)) {
        bp_log(migrator->host, BP_LOG_INFO, "migrate.waiting", "Another process changes the schema: waiting for it");
        status = run(migrator, "SET lock_timeout = 0; SELECT pg_advisory_lock(" LOCK ")");
        if (status == 0)
            status = run(migrator, migrator->settings);
    }
    if (status == 0)
        status = ask_text(migrator, "SELECT pg_backend_pid()", &backend);
    if (backend)
        migrator->backend = atoi(backend);
    free(taken);
    free(backend);
    return status;
}

static int prepare(struct bp_db_migrator *migrator, const struct migrate_options *options, bool read_only)
{
    int status = make_settings(migrator, options);
    if (status == 0)
        status = run(migrator, migrator->settings);
    if (status == 0 && !read_only)
        status = take_lock(migrator);
    if (status == 0)
        status = find_table(migrator);
    if (status == 0 && !read_only)
        status = make_table(migrator);
    return status == BP_ERROR || status == BP_BUSY ? say(migrator, status, "the database cannot be migrated") : status;
}

int migrate_open(const struct migrate_options *options, bool read_only, struct bp_db_migrator **ret_migrator)
{
    struct bp_db_migrator *migrator = calloc(1, sizeof(*migrator));
    int status;
    if (!migrator)
        return BP_NOMEM;
    migrator->host = options->host;
    migrator->pg = PQconnectdbParams(options->keywords, options->values, 0);
    if (!migrator->pg) {
        status = BP_NOMEM;
    } else if (PQstatus(migrator->pg) != CONNECTION_OK) {
        const char *message = PQerrorMessage(migrator->pg);
        snprintf(migrator->why, WHY_SIZE, "%.*s", (int)strcspn(message, "\n"), message);
        status = say(migrator, BP_BUSY, "the database cannot be reached");
    } else {
        status = prepare(migrator, options, read_only);
    }
    if (status != 0)
        migrate_close(migrator);
    else
        *ret_migrator = migrator;
    return status;
}

void migrate_close(struct bp_db_migrator *migrator)
{
    PQfinish(migrator->pg); /* which gives the lock back */
    free(migrator->settings);
    free(migrator->table);
    free(migrator);
}

/* ---- history ---- */

static bp_str cell(const PGresult *result, int row, int column, struct bp_arena *arena)
{
    return bp_arena_copy(arena, bp_str_n(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)));
}

static int take_rows(const PGresult *result, struct bp_arena *arena, struct bp_db_applied **ret_applied,
                     size_t *ret_count)
{
    int count = PQntuples(result);
    struct bp_db_applied *rows = bp_arena_array(arena, (size_t)count + 1, sizeof(*rows));
    if (!rows)
        return BP_NOMEM;
    for (int i = 0; i < count; i++) {
        rows[i] = (struct bp_db_applied){.version = (uint32_t)strtoul(PQgetvalue(result, i, 0), NULL, 10),
                                         .name = cell(result, i, 1, arena),
                                         .checksum = cell(result, i, 2, arena),
                                         .applied_at = (bp_date)strtoll(PQgetvalue(result, i, 3), NULL, 10)};
        if (!rows[i].name.ptr || !rows[i].checksum.ptr)
            return BP_NOMEM;
    }
    *ret_applied = rows;
    *ret_count = (size_t)count;
    return 0;
}

int migrate_history(struct bp_db_migrator *migrator, const char *owner, struct bp_arena *arena,
                    struct bp_db_applied **ret_applied, size_t *ret_count)
{
    const char *values[] = {owner};
    PGresult *result;
    char *sql = NULL;
    int status;
    if (!migrator->has_table) {
        *ret_applied = NULL;
        *ret_count = 0;
        return 0;
    }
    if (asprintf(&sql,
                 "SELECT version, name, checksum, (extract(epoch FROM applied_at) * 1000)::bigint FROM %s"
                 " WHERE owner = $1 ORDER BY version",
                 migrator->table) < 0)
        return BP_NOMEM;
    status = ask(migrator, sql, values, 1, &result);
    free(sql);
    if (status != 0)
        return say(migrator, status, "the history of the schema cannot be read");
    status = take_rows(result, arena, ret_applied, ret_count);
    PQclear(result);
    return status;
}

/* ---- a step ---- */

/* Behind a pooler that gives each transaction another session the lock would be nobody's. */
static int check_session(struct bp_db_migrator *migrator)
{
    char *held = NULL;
    int status = ask_text(migrator,
                          "SELECT pg_backend_pid() FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted"
                          " AND pid = pg_backend_pid() AND (classid::bigint << 32 | objid::bigint) = " LOCK
                          " AND objsubid = 1 AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = "
                          "current_database())",
                          &held);
    if (status == 0 && (!held || atoi(held) != migrator->backend)) {
        snprintf(migrator->why, WHY_SIZE,
                 "the connection changed its session on the way: a pooler stands in between; set DIRECT_URL");
        status = BP_ERROR;
    }
    free(held);
    return status;
}

/* Through EXECUTE, which refuses to end a transaction, whatever the text holds. */
static int run_text(struct bp_db_migrator *migrator, const char *sql)
{
    char *text = PQescapeLiteral(migrator->pg, sql, strlen(sql));
    char *body = NULL, *quoted = NULL, *block = NULL;
    PGresult *result = NULL;
    int status = BP_NOMEM;
    if (text && asprintf(&body, "BEGIN EXECUTE %s; END", text) < 0)
        body = NULL;
    if (body)
        quoted = PQescapeLiteral(migrator->pg, body, strlen(body));
    if (quoted && asprintf(&block, "DO %s", quoted) < 0)
        block = NULL;
    if (block) {
        result = PQexec(migrator->pg, block);
        status = 0;
        if (!is_fine(result)) {
            note(migrator, result, sql);
            status = PQstatus(migrator->pg) == CONNECTION_OK ? BP_ERROR : BP_BUSY;
        }
    }
    PQclear(result);
    free(block);
    PQfreemem(quoted);
    free(body);
    PQfreemem(text);
    return status;
}

static int record_step(struct bp_db_migrator *migrator, const char *owner, const struct bp_db_applied *record,
                       bool forward)
{
    char version[16], date[32], *name = strndup(record->name.ptr, record->name.len);
    char *checksum = strndup(record->checksum.ptr, record->checksum.len), *sql = NULL;
    const char *values[] = {owner, version, name, checksum, date};
    int status = BP_NOMEM;
    snprintf(version, sizeof(version), "%u", record->version);
    snprintf(date, sizeof(date), "%" PRId64, record->applied_at);
    if (name && checksum &&
        asprintf(&sql,
                 forward ? "INSERT INTO %s (owner, version, name, checksum, applied_at)"
                           " VALUES ($1, $2, $3, $4, pg_catalog.to_timestamp($5::bigint / 1000.0))"
                         : "DELETE FROM %s WHERE owner = $1 AND version = $2",
                 migrator->table) >= 0) {
        status = ask(migrator, sql, values, forward ? 5 : 2, NULL);
        free(sql);
    }
    free(name);
    free(checksum);
    return status;
}

int migrate_step(struct bp_db_migrator *migrator, const char *owner, const struct bp_db_applied *record, bool forward,
                 const char *sql, const char **ret_why)
{
    int status = run(migrator, migrator->settings); /* anew: the step before may have changed them */
    if (status == 0)
        status = run(migrator, "BEGIN");
    if (status == 0)
        status = check_session(migrator);
    if (status == 0)
        status = run_text(migrator, sql);
    if (status == 0)
        status = record_step(migrator, owner, record, forward);
    if (status == 0)
        status = run(migrator, "COMMIT");
    if (PQtransactionStatus(migrator->pg) != PQTRANS_IDLE)
        PQclear(PQexec(migrator->pg, "ROLLBACK"));
    if (status == BP_BUSY)
        return say(migrator, BP_BUSY, "the connection was lost during a migration: run it again");
    if (status == BP_ERROR)
        *ret_why = migrator->why;
    return status;
}
