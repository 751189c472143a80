/* SPDX-License-Identifier: MIT */
#include "core/database/front.h"

#include <stdlib.h>

#include "backplane/log.h"
#include "core/database/span.h"
#include "core/database/tags.h"
#include "core/metric/metric.h"
#include "core/worker/fiber.h"

/* What is called after the commit. */
struct after {
    struct after *next;
    void (*function)(void *argument);
    void *argument;
};

struct bp_tx {
    struct bp_tx *outer; /* the enlisted transaction that this one is a part of; else NULL */
    bool failed;         /* a part of it was rolled back */
    struct bp_service db;
    struct bp_db_tx *inner;
    struct tag_mark *marks; /* from malloc; each tag once */
    struct after *after;    /* from malloc; each once */
};

static const double duration_buckets[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                          0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};
static const struct bp_metric_def duration_metric = {
    .size = sizeof(struct bp_metric_def),
    .type = BP_HISTOGRAM,
    .name = "db_client_operation_duration_seconds",
    .help = "Duration of database operations, waiting for their turn included.",
    .labels = {"db_system_name", "db_operation_name"},
    .buckets = duration_buckets,
    .bucket_count = sizeof(duration_buckets) / sizeof(duration_buckets[0])};

/* Of this process: a worker runs one assembly. */
static struct bp_metric *duration;

static const struct bp_database_vtable *vtable_of(struct bp_service db)
{
    return (const struct bp_database_vtable *)db.vtable;
}

static bool provides_database(const struct bp_host *host)
{
    for (const struct bp_provide *provide = host->plugin.provides; provide && provide->size; provide++)
        if (strcmp(provide->interface, BP_DATABASE) == 0)
            return true;
    return false;
}

int database_front_init(struct assembly *assembly)
{
    const char *error;
    for (size_t i = 0; i < assembly->host_count && !assembly->database_duration; i++)
        if (provides_database(assembly->hosts[i]) &&
            !(assembly->database_duration = metric_new(assembly->shared, &duration_metric, &error)))
            return BP_NOMEM;
    return 0;
}

void database_front_start(const struct assembly *assembly)
{
    duration = assembly->database_duration;
    tags_use(assembly);
}

void database_front_stop(void)
{
    duration = NULL;
    tags_forget();
}

static void observe(struct bp_service db, const char *operation, bp_time started)
{
    if (!duration)
        return;
    bp_str labels[2] = {bp_str_of(vtable_of(db)->system), bp_str_of(operation)};
    bp_metric_observe(bp_series(duration, labels), (double)(bp_clock() - started) / (double)BP_SECOND);
}

static int run(struct bp_service db, struct bp_tx *tx, const struct bp_statement *statement,
               const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result)
{
    bp_time started = bp_clock();
    struct bp_trace_span *span = database_span_begin(vtable_of(db)->system, statement);
    int status = vtable_of(db)->query(db.self, tx ? tx->inner : NULL, statement, values, count, arena, ret_result);
    observe(db, statement->name, started);
    if (span)
        database_span_end(span, status);
    return status;
}

/* Whether a write with this status may have changed something. */
static bool may_have_taken_place(int status)
{
    return status == 0 || status == BP_UNKNOWN || status == BP_ERROR || status == BP_NOMEM;
}

static bool same_tag(const struct tag_mark *a, const struct tag_mark *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Marks a tag for as long as the transaction lasts. */
static int mark_in(struct bp_tx *tx, const struct tag_mark *wanted)
{
    for (const struct tag_mark *mark = tx->marks; mark; mark = mark->next)
        if (same_tag(mark, wanted))
            return 0;
    struct tag_mark *mark = malloc(sizeof(*mark));
    if (!mark)
        return BP_NOMEM;
    *mark = *wanted;
    tags_write_begin(mark);
    mark->next = tx->marks;
    tx->marks = mark;
    return 0;
}

static struct bp_tx *enlisted(struct bp_service db)
{
    struct bp_fiber *fiber = fiber_current();
    struct bp_tx *tx = fiber ? *fiber_enlisted(fiber) : NULL;
    if (tx && tx->outer)
        tx = tx->outer;
    return tx && tx->db.self == db.self ? tx : NULL;
}

struct bp_tx *bp_db_enlist(struct bp_tx *tx)
{
    struct bp_fiber *fiber = fiber_current();
    struct bp_tx *before = fiber ? *fiber_enlisted(fiber) : NULL;
    if (fiber)
        *fiber_enlisted(fiber) = tx;
    return before;
}

int bp_db_query(struct bp_service db, struct bp_tx *tx, const struct bp_statement *statement,
                const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result)
{
    struct tag_mark marks[TAGS_MAX];
    int status = 0;
    if (!tx)
        tx = enlisted(db);
    if (tx && tx->outer)
        tx = tx->outer;
    if (!statement->tag || !tags_wanted())
        return run(db, tx, statement, values, count, arena, ret_result);
    size_t tags = tags_expand(statement->tag, values, count, marks);
    if (tags == 0) {
        bp_log(NULL, BP_LOG_ERROR, "database.bad_tag", "The cache tag of a statement cannot be filled in",
               bp_log_cstr("statement", statement->name), bp_log_cstr("tag", statement->tag));
        return BP_MISUSE;
    }
    for (size_t i = 0; tx && status == 0 && i < tags; i++)
        status = mark_in(tx, &marks[i]);
    if (status < 0)
        return status;
    for (size_t i = 0; !tx && i < tags; i++)
        tags_write_begin(&marks[i]);
    status = run(db, tx, statement, values, count, arena, ret_result);
    for (size_t i = 0; !tx && i < tags; i++)
        tags_write_end(&marks[i], may_have_taken_place(status));
    return status;
}

int bp_db_begin(struct bp_service db, struct bp_tx **ret_tx)
{
    struct bp_tx *tx = calloc(1, sizeof(*tx));
    if (!tx)
        return BP_NOMEM;
    tx->db = db;
    tx->outer = enlisted(db);
    if (tx->outer) {
        *ret_tx = tx;
        return 0;
    }
    bp_time started = bp_clock();
    struct bp_trace_span *span = database_span_command(vtable_of(db)->system, "BEGIN");
    int status = vtable_of(db)->begin(db.self, &tx->inner);
    database_span_end(span, status);
    observe(db, "begin", started);
    if (status != 0) {
        free(tx);
        return status;
    }
    *ret_tx = tx;
    return 0;
}

static void end(struct bp_tx *tx, bool took_place)
{
    for (struct tag_mark *mark = tx->marks, *next; mark; mark = next) {
        next = mark->next;
        tags_write_end(mark, took_place);
        free(mark);
    }
    for (struct after *after = tx->after, *next; after; after = next) {
        next = after->next;
        if (took_place)
            after->function(after->argument);
        free(after);
    }
    free(tx);
}

/* A part of an enlisted transaction ends with it. */
static int end_part(struct bp_tx *tx, bool failed)
{
    tx->outer->failed = tx->outer->failed || failed;
    free(tx);
    return 0;
}

int bp_db_commit(struct bp_service db, struct bp_tx *tx)
{
    if (tx->outer)
        return end_part(tx, false);
    if (tx->failed) {
        bp_db_rollback(db, tx);
        return BP_ERROR;
    }
    bp_time started = bp_clock();
    struct bp_trace_span *span = database_span_command(vtable_of(db)->system, "COMMIT");
    int status = vtable_of(db)->commit(db.self, tx->inner);
    database_span_end(span, status);
    observe(db, "commit", started);
    end(tx, may_have_taken_place(status));
    return status;
}

void bp_db_rollback(struct bp_service db, struct bp_tx *tx)
{
    if (tx->outer) {
        end_part(tx, true);
        return;
    }
    bp_time started = bp_clock();
    struct bp_trace_span *span = database_span_command(vtable_of(db)->system, "ROLLBACK");
    vtable_of(db)->rollback(db.self, tx->inner);
    database_span_end(span, 0);
    observe(db, "rollback", started);
    end(tx, false);
}

int bp_db_after_commit(struct bp_service db, struct bp_tx *tx, void (*function)(void *argument), void *argument)
{
    if (!tx)
        tx = enlisted(db);
    if (tx && tx->outer)
        tx = tx->outer;
    for (const struct after *after = tx ? tx->after : NULL; after; after = after->next)
        if (after->function == function && after->argument == argument)
            return 0;
    if (!tx) {
        function(argument);
        return 0;
    }
    struct after *after = malloc(sizeof(*after));
    if (!after)
        return BP_NOMEM;
    *after = (struct after){.next = tx->after, .function = function, .argument = argument};
    tx->after = after;
    return 0;
}

int bp_db_ping(struct bp_service db, bp_span timeout)
{
    return vtable_of(db)->ping(db.self, timeout);
}

int bp_db_listen(struct bp_service db, const char *channel, void (*function)(void *argument, bp_str payload),
                 void *argument)
{
    const struct bp_database_vtable *vtable = vtable_of(db);
    return vtable->listen ? vtable->listen(db.self, channel, function, argument) : BP_MISUSE;
}
