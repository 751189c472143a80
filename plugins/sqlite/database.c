/* SPDX-License-Identifier: MIT */
/* The database interface as fibers see it: fills jobs, hands them to a lane, reports. */
#include "database.h"

#include <stdio.h>
#include <stdlib.h>

const struct bp_metric_row database_metrics[] = {
    BP_METRIC(struct database, waiting, .type = BP_GAUGE, .name = "sqlite_queue_depth",
              .help = "Statements that wait for their turn.", .labels = {"instance", "queue"}),
    BP_METRIC_END};

struct connection_options database_connection(const struct database *database, bool read_only)
{
    return (struct connection_options){.path = database->path,
                                       .busy_timeout = database->busy_timeout,
                                       .cache_size = database->cache_size,
                                       .read_only = read_only};
}

struct bp_series *database_waiting(const struct database *database, const char *queue)
{
    bp_str labels[2] = {bp_instance_name(database->host), bp_str_of(queue)};
    return bp_series(database->waiting, labels);
}

/* What the thread has not reported already, and a caller cannot be expected to handle. */
static void report(struct database *database, const char *operation, int status, const struct job *job)
{
    if (status == BP_ERROR && !job->reported && job->failure.text[0] != '\0')
        bp_log(database->host, BP_LOG_ERROR, "sqlite.statement_failed", "A statement could not be run",
               bp_log_cstr("statement", operation), bp_log_cstr("error", job->failure.text),
               bp_log_int("code", job->failure.code));
    else if (status == BP_MISUSE)
        bp_log(database->host, BP_LOG_ERROR, "sqlite.misuse",
               "The database was called outside of a fiber, or by two fibers in one transaction",
               bp_log_cstr("statement", operation));
}

static void trace_code(int code)
{
    struct bp_trace_span *span = bp_trace_active();
    char text[20];
    if (span)
        bp_trace_text(span, "db.response.status_code", bp_str_u64((uint64_t)code, text));
}

static int call(struct database *database, struct lane *lane, const char *operation, struct job *job, bool cancellable,
                bp_span timeout)
{
    int status;
    if (!lane)
        return BP_BUSY;
    status = lane_call(lane, job, cancellable, timeout);
    if (status != 0 && job->failure.code != 0)
        trace_code(job->failure.code);
    report(database, operation, status, job);
    return status;
}

static int query(void *self, struct bp_db_tx *tx, const struct bp_statement *statement,
                 const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result)
{
    struct database *database = self;
    bool reads = !tx && (statement->flags & BP_SQL_READ);
    struct job job = {.kind = JOB_QUERY,
                      .tx = tx,
                      .statement = statement,
                      .values = values,
                      .count = count,
                      .arena = ret_result ? arena : NULL};
    int status = call(database, reads ? database->reader : database->writer, statement->name, &job, true, BP_FOREVER);
    if (tx && status != 0 && tx->failed == 0)
        tx->failed = status < 0 ? status : BP_ERROR;
    if (status == 0 && ret_result)
        *ret_result = job.result;
    return status;
}

static int begin(void *self, struct bp_db_tx **ret_tx)
{
    struct database *database = self;
    struct bp_db_tx *tx = calloc(1, sizeof(*tx));
    struct job job = {.kind = JOB_BEGIN, .tx = tx};
    int status;
    if (!tx)
        return BP_NOMEM;
    status = call(database, database->writer, "begin", &job, true, BP_FOREVER);
    if (status != 0) {
        free(tx);
        return status;
    }
    *ret_tx = tx;
    return 0;
}

static int end(struct database *database, struct bp_db_tx *tx, enum job_kind kind, const char *operation)
{
    struct job job = {.kind = kind, .tx = tx};
    int status = call(database, database->writer, operation, &job, false, BP_FOREVER);
    if (status != BP_MISUSE)
        free(tx);
    return status;
}

static void rollback(void *self, struct bp_db_tx *tx)
{
    end(self, tx, JOB_ROLLBACK, "rollback");
}

static int commit(void *self, struct bp_db_tx *tx)
{
    int failed = tx->failed;
    if (failed == 0)
        return end(self, tx, JOB_COMMIT, "commit");
    rollback(self, tx);
    return failed;
}

static int ping(void *self, bp_span timeout)
{
    /* Reads the first page, so the file is really asked. */
    static const struct bp_statement statement =
        BP_STATEMENT(.name = "ping", .flags = BP_SQL_READ, .sql = "SELECT count(*) FROM sqlite_schema");
    struct database *database = self;
    struct job job = {.kind = JOB_QUERY, .statement = &statement};
    return call(database, database->reader, statement.name, &job, true, timeout);
}

/* Reads; and writes, when the last write could not be made. Without that question nothing would show that writes work again while
 * readiness keeps requests away. */
static int check(void *self, bp_span timeout, char *detail)
{
    struct database *database = self;
    struct job probe = {.kind = JOB_PROBE};
    int status = ping(self, timeout);
    if (status != 0) {
        snprintf(detail, BP_HEALTH_DETAIL, "%s", "it cannot be read; the log says why");
        return status;
    }
    if (!atomic_load_explicit(&database->writer->failing, memory_order_relaxed))
        return 0;
    status = call(database, database->writer, "probe", &probe, true, timeout);
    if (status != 0)
        snprintf(detail, BP_HEALTH_DETAIL, "writes fail: %.140s",
                 probe.failure.text[0] ? probe.failure.text : bp_status_name(status));
    return status;
}

const struct bp_health_check database_health_check = {
    .size = sizeof(struct bp_health_check), .required = 1, .name = "database", .check = check};

const struct bp_database_vtable database_vtable = {.size = sizeof(struct bp_database_vtable),
                                                   .system = "sqlite",
                                                   .query = query,
                                                   .begin = begin,
                                                   .commit = commit,
                                                   .rollback = rollback,
                                                   .ping = ping,
                                                   .backup = database_backup,
                                                   .migrate_open = database_migrate_open,
                                                   .migrate_history = database_migrate_history,
                                                   .migrate_step = database_migrate_step,
                                                   .migrate_close = database_migrate_close,
                                                   .migrates_at_start = database_migrates_at_start};
