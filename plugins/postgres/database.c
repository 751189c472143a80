/* SPDX-License-Identifier: MIT */
/* The database interface as fibers see it: makes jobs, says what came of them. */
#include "database.h"

#include <stdio.h>
#include <stdlib.h>

#include "connection.h"
#include "migrate.h"
#include "row.h"
#include "sqlstate.h"

static const double wait_buckets[] = {0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};

const struct bp_metric_row database_metrics[] = {
    BP_METRIC(struct database, waiting, .type = BP_GAUGE, .name = "postgres_queue_depth",
              .help = "Statements (read, write, replica) and transactions (pool) that wait for their turn.",
              .labels = {"instance", "queue"}),
    BP_METRIC(struct database, used, .type = BP_GAUGE, .name = "postgres_connections_used",
              .help = "Connections of the pool that a transaction has.", .labels = {"instance", "queue"}),
    BP_METRIC(struct database, connections, .type = BP_GAUGE, .name = "db_client_connection_count",
              .help = "Connections of a pool that are open and free (idle), and that transactions have (used).",
              .labels = {"db_client_connection_pool_name", "db_client_connection_state"}),
    BP_METRIC(struct database, connections_max, .type = BP_GAUGE, .name = "db_client_connection_max",
              .help = "Connections that a pool may have, all workers together.",
              .labels = {"db_client_connection_pool_name"}),
    BP_METRIC(struct database, pending, .type = BP_GAUGE, .name = "db_client_connection_pending_requests",
              .help = "Transactions that wait for a connection of a pool.",
              .labels = {"db_client_connection_pool_name"}),
    BP_METRIC(struct database, timeouts, .type = BP_COUNTER, .name = "db_client_connection_timeouts_total",
              .help = "Transactions that got no connection of a pool in time.",
              .labels = {"db_client_connection_pool_name"}),
    BP_METRIC(struct database, wait_time, .type = BP_HISTOGRAM, .name = "db_client_connection_wait_time_seconds",
              .help = "How long those transactions waited for a connection of a pool that found none free.",
              .labels = {"db_client_connection_pool_name"}, .buckets = wait_buckets,
              .bucket_count = sizeof(wait_buckets) / sizeof(wait_buckets[0])),
    BP_METRIC_END};

/* --- answers --- */

struct complaint {
    char text[256];
    const char *sqlstate;
};

struct rows {
    const struct bp_statement *statement;
    char *objects; /* zeroed */
    int count;
};

/* Only where the table of members begins with BP_PRESENCE. */
static void note_null(const struct rows *rows, char *object, int column)
{
    const struct bp_field *first = rows->statement->rows;
    uint64_t null;
    if (first->type != BP_TYPE_PRESENCE || column >= 64)
        return;
    memcpy(&null, object + first->item_size, sizeof(null));
    null |= UINT64_C(1) << column;
    memcpy(object + first->item_size, &null, sizeof(null));
}

/* Of all rows: what is asked of libpq about a column is asked once. */
static int decode_column(const PGresult *result, int column, const struct bp_field *field, const struct rows *rows,
                         struct bp_arena *arena, struct complaint *complaint)
{
    Oid type = PQftype(result, column);
    char *object = rows->objects;
    for (int i = 0; i < rows->count; i++, object += rows->statement->row_size) {
        bp_str bytes = bp_str_n(PQgetvalue(result, i, column), (size_t)PQgetlength(result, i, column));
        if (bytes.len == 0 && PQgetisnull(result, i, column)) {
            note_null(rows, object, column);
            continue;
        }
        int status = row_decode(field, type, bytes, arena, object + field->offset);
        if (status == BP_ERROR)
            snprintf(complaint->text, sizeof(complaint->text), "column %d, %s: its %s does not fit the member \"%s\"",
                     column + 1, PQfname(result, column), row_type_name(type), field->name);
        if (status != 0)
            return status;
    }
    return 0;
}

static void note_set(const struct rows *rows, int columns)
{
    const struct bp_field *first = rows->statement->rows;
    uint64_t set = columns >= 64 ? UINT64_MAX : (UINT64_C(1) << columns) - 1;
    char *object = rows->objects;
    if (first->type != BP_TYPE_PRESENCE)
        return;
    for (int i = 0; i < rows->count; i++, object += rows->statement->row_size)
        memcpy(object + first->offset, &set, sizeof(set));
}

static int decode_rows(const PGresult *result, const struct bp_statement *statement, struct bp_arena *arena,
                       struct bp_result *ret_result, struct complaint *complaint)
{
    struct rows rows = {.statement = statement, .count = PQntuples(result)};
    int column = 0;
    if (!statement->rows)
        return 0;
    if (bp_db_column_count(statement->rows) != (unsigned)PQnfields(result) || statement->row_size == 0) {
        snprintf(complaint->text, sizeof(complaint->text), "it has %d columns, its rows describe %u", PQnfields(result),
                 bp_db_column_count(statement->rows));
        return BP_ERROR;
    }
    if (!ret_result || rows.count == 0)
        return 0;
    rows.objects = bp_arena_array(arena, (size_t)rows.count, statement->row_size);
    if (!rows.objects)
        return BP_NOMEM;
    for (const struct bp_field *field = bp_db_first_column(statement->rows); field->type != BP_TYPE_END;
         field++, column++) {
        int status = decode_column(result, column, field, &rows, arena, complaint);
        if (status != 0)
            return status;
    }
    note_set(&rows, column);
    ret_result->rows = rows.objects;
    ret_result->len = (size_t)rows.count;
    return 0;
}

/* SELECT has a count too, of what it found. */
static int64_t changes_of(PGresult *result)
{
    const char *tag = PQcmdStatus(result);
    bool changed = strncmp(tag, "INSERT", 6) == 0 || strncmp(tag, "UPDATE", 6) == 0 || strncmp(tag, "DELETE", 6) == 0 ||
                   strncmp(tag, "MERGE", 5) == 0;
    return changed ? strtoll(PQcmdTuples(result), NULL, 10) : 0;
}

/* Failures that come in floods: one line a second. */
static void report(struct database *database, const char *operation, int status, const struct complaint *complaint)
{
    bp_time now = bp_clock();
    if (status == BP_ERROR) {
        bp_log(database->host, BP_LOG_ERROR, "postgres.statement_failed", "A statement could not be run",
               bp_log_cstr("statement", operation), bp_log_cstr("error", complaint->text),
               bp_log_cstr("sqlstate", complaint->sqlstate ? complaint->sqlstate : ""));
        return;
    }
    if ((status != BP_BUSY && status != BP_TIMEOUT) || (database->logged != 0 && now - database->logged < BP_SECOND))
        return;
    database->logged = now;
    bp_log(database->host, BP_LOG_WARN, "postgres.statement_refused", "A statement was refused or given up",
           bp_log_cstr("statement", operation), bp_log_cstr("error", complaint->text),
           bp_log_cstr("sqlstate", complaint->sqlstate ? complaint->sqlstate : ""));
}

int database_finish(struct database *database, struct job *job, struct bp_arena *arena, struct bp_result *ret_result)
{
    PGresult *result = job->result;
    struct bp_result found = {0};
    struct complaint complaint = {.text = ""};
    ExecStatusType said = PQresultStatus(result);
    const char *operation = job->statement ? job->statement->name : job->command;
    int status = 0;
    if (said != PGRES_TUPLES_OK && said != PGRES_COMMAND_OK) {
        const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        complaint.sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        snprintf(complaint.text, sizeof(complaint.text), "%s", text ? text : PQresStatus(said));
        status = sqlstate_of(complaint.sqlstate).status;
        if (complaint.sqlstate)
            bp_trace_text(bp_trace_active(), "db.response.status_code", bp_str_of(complaint.sqlstate));
        if (status == BP_BUSY || status == BP_TIMEOUT) /* of this attempt */
            status = job_status(job, status);
    } else if (job->statement) {
        found.changes = changes_of(result);
        status = decode_rows(result, job->statement, arena, ret_result ? &found : NULL, &complaint);
    }
    if (status < 0)
        report(database, operation, status, &complaint);
    else if (status == 0 && ret_result)
        *ret_result = found;
    PQclear(result);
    job->result = NULL;
    return status;
}

/* --- questions --- */

int database_ready(struct database *database, const char *operation)
{
    if (!bp_fiber_arena()) {
        bp_log(database->host, BP_LOG_ERROR, "postgres.misuse", "The database was called outside of a fiber",
               bp_log_cstr("statement", operation));
        return BP_MISUSE;
    }
    return database->running && database->schema.state != SCHEMA_BEHIND ? 0 : BP_BUSY;
}

static struct lane *lane_of(struct database *database, const struct job *job)
{
    if (!job_reads(job))
        return &database->lanes[LANE_WRITE];
    return &database->lanes[database->lanes[LANE_REPLICA].ready > 0 ? LANE_REPLICA : LANE_READ];
}

static int run(struct database *database, struct bp_db_tx *tx, struct job *job)
{
    if (tx)
        return transaction_query(database, tx, job);
    if (!(job->statement->flags & (BP_SQL_READ | BP_SQL_BATCHABLE)))
        return pinned_query(database, job);
    return lane_run(lane_of(database, job), job, database->pool_timeout);
}

static int query(void *self, struct bp_db_tx *tx, const struct bp_statement *statement,
                 const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result)
{
    struct database *database = self;
    struct job job = {.statement = statement, .values = values, .count = count};
    int status = database_ready(database, statement->name);
    if (status == 0)
        status = run(database, tx, &job);
    if (status == 0)
        status = database_finish(database, &job, arena, ret_result);
    if (tx && status != 0 && tx->failed == 0)
        tx->failed = status < 0 ? status : BP_ERROR;
    return status;
}

static int ping(void *self, bp_span timeout)
{
    static const struct bp_statement statement = BP_STATEMENT(.name = "ping", .flags = BP_SQL_READ, .sql = "SELECT 1");
    struct database *database = self;
    struct job job = {.statement = &statement};
    struct lane *lane = &database->lanes[LANE_READ];
    int status = database_ready(database, statement.name);
    if (status == 0)
        status = lane_run_within(lane, &job, timeout);
    return status != 0 ? status : database_finish(database, &job, NULL, NULL);
}

static bool migrates_at_start(void *self)
{
    return ((const struct database *)self)->migrate;
}

/* In a one-shot process. Never through a pooler, when the server's own URL is known. */
static int open_migrator(void *self, bool read_only, struct bp_db_migrator **ret_migrator)
{
    struct database *database = self;
    const struct target *target = database->direct.options ? &database->direct : &database->target;
    struct keywords keywords;
    struct migrate_options options = {.host = database->host,
                                      .keywords = keywords.names,
                                      .values = keywords.values,
                                      .schema = target->schema ? target->schema : database->target.schema,
                                      .lock_timeout = database->lock_timeout};
    connect_keywords(database, target, &keywords);
    return migrate_open(&options, read_only, ret_migrator);
}

const struct bp_database_vtable database_vtable = {.size = sizeof(struct bp_database_vtable),
                                                   .system = "postgresql",
                                                   .query = query,
                                                   .begin = database_begin,
                                                   .commit = database_commit,
                                                   .rollback = database_rollback,
                                                   .ping = ping,
                                                   .listen = database_listen,
                                                   .migrate_open = open_migrator,
                                                   .migrate_history = migrate_history,
                                                   .migrate_step = migrate_step,
                                                   .migrate_close = migrate_close,
                                                   .migrates_at_start = migrates_at_start,
                                                   .expect = schema_expect};
