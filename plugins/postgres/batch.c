/* SPDX-License-Identifier: MIT */
/*
 * A batch is all that is sent between two waits for the server: parts, each of which ends with a Sync and is one implicit transaction
 * (PostgreSQL manual, 34.5.1). What a part holds is answered when its Sync is: until then a deferred constraint may still undo it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "connection.h"
#include "sqlstate.h"

#define BATCH_JOBS 128u
#define BATCH_BYTES ((size_t)256 * 1024) /* of values; one more may be larger */
#define PARAMETERS 128u
#define AGAIN 3u /* times that a statement may lose against other transactions */

/* --- sending --- */

static void fail_connection(struct connection *connection)
{
    connect_reason(PQerrorMessage(connection->pg), connection->why);
    connection->broken = true;
}

static struct slot *add_slot(struct connection *connection, enum slot_kind kind, struct job *job)
{
    struct slot *slot = &connection->slots[connection->slot_count++];
    *slot = (struct slot){.kind = kind, .job = job, .for_job = job != NULL};
    return slot;
}

/* Room for what one job may need: preparations before it, itself, a Sync. */
static bool make_room(struct connection *connection)
{
    unsigned cap = connection->slot_cap ? connection->slot_cap * 2 : 64;
    struct slot *slots;
    if (connection->slot_count + 8 < connection->slot_cap)
        return true;
    slots = realloc(connection->slots, cap * sizeof(*slots));
    if (!slots)
        return false;
    connection->slots = slots;
    connection->slot_cap = cap;
    return true;
}

static void send_command(struct connection *connection, const char *sql, struct job *job)
{
    if (PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
        add_slot(connection, SLOT_COMMAND, job);
    else
        fail_connection(connection);
}

static void send_sync(struct connection *connection)
{
    if (!PQpipelineSync(connection->pg)) {
        fail_connection(connection);
        return;
    }
    for (unsigned i = connection->slot_count; i-- > 0 && connection->slots[i].kind != SLOT_SYNC;)
        connection->slots[i].synced = true;
    add_slot(connection, SLOT_SYNC, NULL);
}

/* What each transaction begins with when no session is ours. */
static void send_prelude(struct connection *connection)
{
    if (connection->pooled)
        send_command(connection, connection->database->prelude, NULL);
}

static const char *sql_of(const struct bp_statement *statement)
{
    return statement->sql_postgres ? statement->sql_postgres : statement->sql;
}

struct arguments {
    struct parameter parameters[PARAMETERS];
    const char *values[PARAMETERS];
    int lengths[PARAMETERS], formats[PARAMETERS];
    Oid types[PARAMETERS];
};

static bool encode(const struct job *job, struct arguments *arguments)
{
    if (job->count > PARAMETERS)
        return false;
    for (size_t i = 0; i < job->count; i++) {
        struct parameter *parameter = &arguments->parameters[i];
        if (!row_encode(&job->values[i], parameter))
            return false;
        arguments->values[i] = parameter->bytes;
        arguments->lengths[i] = parameter->len;
        arguments->formats[i] = 1;
        arguments->types[i] = parameter->oid;
    }
    return true;
}

static void send_unnamed(struct connection *connection, struct job *job, const struct arguments *arguments)
{
    if (!PQsendQueryParams(connection->pg, sql_of(job->statement), (int)job->count, arguments->types, arguments->values,
                           arguments->lengths, arguments->formats, 1))
        fail_connection(connection);
    add_slot(connection, SLOT_QUERY, job);
}

/* For a job before this one, which may fail (a lock that is not given in time) without this one failing for the same. */
static bool is_prepared_for_another(const struct connection *connection, const struct prepared *prepared)
{
    for (unsigned i = 0; i < connection->slot_count && prepared->state == PREPARED_SENT; i++)
        if (connection->slots[i].prepared == prepared && connection->slots[i].synced)
            return true;
    return false;
}

static void send_prepared(struct connection *connection, struct job *job, const struct arguments *arguments)
{
    struct prepared *prepared = prepared_get(&connection->prepared, job->statement, arguments->parameters, job->count);
    int count = (int)job->count;
    if (!prepared) {
        job_fail(job, BP_NOMEM);
        return;
    }
    if (is_prepared_for_another(connection, prepared)) {
        send_unnamed(connection, job, arguments);
        return;
    }
    if (prepared->state == PREPARED_NOT) {
        if (!PQsendPrepare(connection->pg, prepared->name, sql_of(job->statement), count, prepared->types)) {
            fail_connection(connection);
            job_fail(job, BP_BUSY);
            return;
        }
        add_slot(connection, SLOT_PREPARE, NULL)->prepared = prepared;
        prepared->state = PREPARED_SENT;
    }
    if (!PQsendQueryPrepared(connection->pg, prepared->name, count, arguments->values, arguments->lengths,
                             arguments->formats, 1))
        fail_connection(connection);
    add_slot(connection, SLOT_QUERY, job);
}

static size_t bytes_of(const struct job *job)
{
    size_t bytes = 0;
    for (size_t i = 0; i < job->count; i++)
        bytes += job->values[i].type == BP_TYPE_TEXT ? job->values[i].as.text.len : 16;
    return bytes;
}

/* Takes the job out of its list. */
static void send_job(struct connection *connection, struct job *job)
{
    struct arguments arguments;
    job_remove(job);
    if (job->statement && !encode(job, &arguments)) {
        bp_log(connection->database->host, BP_LOG_ERROR, "postgres.bad_values",
               "The values of a statement are too many, or out of range",
               bp_log_cstr("statement", job->statement->name));
        job_fail(job, BP_ERROR);
        return;
    }
    if (job->begins) {
        send_command(connection, "BEGIN", NULL);
        send_prelude(connection);
    }
    job->state = JOB_SENT;
    job->connection = connection;
    if (!job->statement)
        send_command(connection, job->command, job);
    else if (connection->pooled || (job->statement->flags & BP_SQL_ONCE))
        send_unnamed(connection, job, &arguments);
    else
        send_prepared(connection, job, &arguments);
    /* A job that is not in a slot has been answered. */
    if (job->state == JOB_SENT && connection->slot_count > 0 &&
        connection->slots[connection->slot_count - 1].job == job)
        job->slot = connection->slot_count - 1;
    else if (job->state == JOB_SENT)
        job_fail(job, BP_BUSY);
}

/* Each with a Sync of its own: in one message to the server, but each its own transaction. */
static void send_alone(struct connection *connection)
{
    for (unsigned i = 0; i < BATCH_JOBS && connection->alone.head && !connection->broken; i++) {
        struct job *job = connection->alone.head;
        if (!make_room(connection))
            break;
        if (!job->in_tx)
            send_prelude(connection);
        send_job(connection, job);
        send_sync(connection);
    }
}

static void send_queued(struct connection *connection, struct job_list *queue)
{
    size_t bytes = 0;
    send_prelude(connection);
    for (unsigned i = 0; i < BATCH_JOBS && bytes < BATCH_BYTES && queue->head && !connection->broken; i++) {
        if (!make_room(connection))
            break;
        bytes += bytes_of(queue->head);
        send_job(connection, queue->head);
    }
    if (!connection->broken)
        send_sync(connection);
}

void batch_send(struct connection *connection)
{
    struct lane *lane = connection->lane;
    struct job_list *queue = NULL;
    connection->slot_count = connection->done = connection->group = 0;
    if (connection->alone.len == 0 && lane)
        queue = lane_next(lane);
    if ((connection->alone.len == 0 && !queue) || !make_room(connection))
        return;
    connection->heard = bp_clock();
    if (connection->forget && (queue || !connection->alone.head->in_tx || connection->alone.head->begins)) {
        prepared_forget(&connection->prepared);
        connection->forget = false;
        send_command(connection, "DEALLOCATE ALL", NULL);
        send_sync(connection);
    }
    if (queue)
        send_queued(connection, queue);
    else
        send_alone(connection);
    if (lane)
        bp_metric_set(lane->waiting, lane->queue.len);
}

void batch_rollback(struct connection *connection)
{
    connection->slot_count = connection->done = connection->group = 0;
    if (!make_room(connection)) {
        connection->broken = true;
        return;
    }
    connection->heard = bp_clock();
    send_command(connection, "ROLLBACK", NULL);
    send_sync(connection);
}

/* --- answers --- */

static bool is_error(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

static struct sqlstate meaning(const PGresult *result)
{
    return sqlstate_of(result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL);
}

/* Hands the answer over, if somebody still waits. */
static void answer(struct slot *slot)
{
    struct job *job = slot->job;
    slot->job = NULL;
    if (!job)
        return;
    job_answer(job, slot->result);
    slot->result = NULL;
}

static void run_alone(struct connection *connection, struct slot *slot)
{
    struct job *job = slot->job;
    slot->job = NULL;
    if (!job)
        return;
    job->connection = NULL;
    job_list_add(&connection->alone, job);
}

static void note_prepared(const struct slot *slot)
{
    if (slot->prepared)
        slot->prepared->state = slot->result && !is_error(slot->result) ? PREPARED_READY : PREPARED_NOT;
}

/* A server that takes no writes: said when it begins and when it ends. */
static void note_read_only(struct connection *connection, bool read_only)
{
    struct database *database = connection->database;
    if (database->read_only == read_only)
        return;
    database->read_only = read_only;
    if (read_only)
        bp_log(database->host, BP_LOG_WARN, "postgres.read_only", "The database takes no writes: a standby?");
    else
        bp_log(database->host, BP_LOG_INFO, "postgres.writable", "The database takes writes again");
}

/* A failure of a single job: true when it is run again. */
static bool retry(struct connection *connection, struct job *job, struct sqlstate why)
{
    if (!job || job->in_tx)
        return false;
    if (why.remedy == REMEDY_AGAIN)
        return ++job->lost < AGAIN;
    if (why.remedy != REMEDY_PREPARE || job->replanned || connection->pooled)
        return false;
    job->replanned = true;
    return true;
}

static void settle_failed(struct connection *connection, struct slot *first, struct slot *end, struct slot *failed,
                          unsigned jobs)
{
    struct sqlstate why = meaning(failed->result);
    bool reader = connection->lane && connection->lane->kind != LANE_WRITE;
    if (why.remedy == REMEDY_PREPARE && !connection->pooled)
        connection->forget = true;
    if (why.remedy == REMEDY_REOPEN && !reader) {
        connection->reopen = true;
        snprintf(connection->why, sizeof(connection->why), "the server is read-only");
        note_read_only(connection, true);
    }
    for (struct slot *slot = first; slot < end; slot++) {
        if (!slot->for_job)
            continue;
        if (jobs > 1 || retry(connection, slot->job, why)) {
            run_alone(connection, slot);
            continue;
        }
        /* What failed may have been its preparation: the reason is there. */
        if (slot != failed && slot->job) {
            PQclear(slot->result);
            slot->result = failed->result;
            failed->result = NULL;
        }
        answer(slot);
    }
}

/* The part from group to the Sync is over. */
static void settle(struct connection *connection)
{
    struct slot *first = &connection->slots[connection->group], *end = &connection->slots[connection->done];
    struct slot *failed = NULL;
    unsigned jobs = 0;
    for (struct slot *slot = first; slot < end; slot++) {
        note_prepared(slot);
        jobs += slot->for_job;
        if (!failed && (!slot->result || is_error(slot->result)))
            failed = slot;
    }
    if (!failed && end->result) /* the commit itself failed: a deferred constraint */
        failed = end;
    if (failed) {
        settle_failed(connection, first, end, failed, jobs);
    } else {
        if (connection->database->read_only && connection->lane && connection->lane->kind == LANE_WRITE)
            note_read_only(connection, false);
        for (struct slot *slot = first; slot < end; slot++)
            answer(slot);
    }
    for (struct slot *slot = first; slot <= end; slot++) {
        PQclear(slot->result);
        slot->result = NULL;
    }
}

static bool is_fatal(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

static void break_off(struct connection *connection, const PGresult *result)
{
    connection->broken = true;
    /* In answer to a statement, it came before the Sync was looked at. */
    connection->said_fatal = result && is_fatal(result) && connection->slots[connection->done].kind != SLOT_SYNC;
    connect_reason(result ? PQresultErrorMessage(result) : "the server broke the protocol", connection->why);
}

/* False when nothing more can be taken for now. */
static bool take_result(struct connection *connection)
{
    struct slot *slot = &connection->slots[connection->done];
    PGresult *result;
    if (PQisBusy(connection->pg))
        return false;
    result = PQgetResult(connection->pg);
    if (!result) { /* ends the results of a statement */
        connection->done += slot->answered;
        return true;
    }
    if (is_error(result) && PQresultStatus(result) != PGRES_PIPELINE_SYNC &&
        (is_fatal(result) || PQstatus(connection->pg) == CONNECTION_BAD)) {
        break_off(connection, result);
        PQclear(result);
        return false;
    }
    if (slot->kind == SLOT_SYNC && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        settle(connection);
        connection->group = ++connection->done;
        return true;
    }
    if (slot->result || PQresultStatus(result) == PGRES_PIPELINE_SYNC ||
        (slot->kind == SLOT_SYNC && !is_error(result))) {
        break_off(connection, NULL);
        PQclear(result);
        return false;
    }
    slot->result = result;
    slot->answered = slot->kind != SLOT_SYNC;
    return true;
}

void batch_receive(struct connection *connection)
{
    if (!PQconsumeInput(connection->pg)) {
        fail_connection(connection);
        /* What came before the end may still say why, or be answers. */
    }
    connection->heard = bp_clock();
    while (connection_busy(connection) && take_result(connection))
        ;
    if (!connection_busy(connection) && PQstatus(connection->pg) == CONNECTION_BAD && !connection->broken)
        fail_connection(connection);
}

/* --- when it is gone --- */

/* It may have been committed. */
static bool is_unsure(const struct connection *connection, const struct slot *slot)
{
    const struct job *job = slot->job;
    if (!slot->synced || job_reads(job) || (job->in_tx && !job->commits))
        return false;
    /* When the server gave its reason in answer to a statement, it had not come to the Sync. Only a statement that commits by itself, a
     * procedure, can have taken place, and that is not batchable. */
    bool said = connection->said_fatal && !connection->pooled; /* a pooler says so of answers that it did not get */
    return !said || !job->statement || !(job->statement->flags & BP_SQL_BATCHABLE);
}

static bool may_repeat(const struct connection *connection, const struct job *job, bool unsure)
{
    if (job->in_tx || job->repeated || connection->stalled)
        return false;
    return !unsure || (job->statement->flags & BP_SQL_IDEMPOTENT);
}

static void abandon(struct connection *connection, struct slot *slot)
{
    struct job *job = slot->job;
    bool unsure = is_unsure(connection, slot);
    slot->job = NULL;
    job->connection = NULL;
    job->unsure |= unsure;
    if (!may_repeat(connection, job, unsure)) {
        job_fail(job, BP_BUSY);
        return;
    }
    job->repeated = true;
    if (connection->lane)
        lane_put_back(connection->lane, job);
    else
        job_list_add(&connection->alone, job);
}

void batch_abandon(struct connection *connection)
{
    /* From the last to the first, so that they keep their order where they are put back. */
    for (unsigned i = connection->slot_count; i-- > connection->group;) {
        if (connection->slots[i].job)
            abandon(connection, &connection->slots[i]);
        PQclear(connection->slots[i].result);
    }
    connection->slot_count = connection->done = connection->group = 0;
    while (connection->lane && connection->alone.tail) {
        struct job *job = connection->alone.tail;
        job_remove(job);
        lane_put_back(connection->lane, job);
    }
}

void batch_forget_job(struct job *job)
{
    job->connection->slots[job->slot].job = NULL;
    job->connection = NULL;
}
