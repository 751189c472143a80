/* SPDX-License-Identifier: MIT */
#include "consume.h"

#include <stdlib.h>

#include "outbox.h"

#define BATCH_MAX 200u
#define BATCHES 16u /* of one fiber, whose memory is then given back */
#define RETRY_FIRST (100 * BP_MILLISECOND)
#define RETRY_MOST BP_MINUTE

struct place {
    int64_t position;
};
static const struct bp_field place_rows[] = {BP_I64(struct place, position), BP_END};

static const struct bp_statement find = BP_STATEMENT(.name = "events.consumer", .flags = BP_SQL_READ,
                                                     .sql = "SELECT position FROM event_consumers WHERE name = $1",
                                                     .rows = place_rows, .row_size = sizeof(struct place));
/* Two may do so at once. */
static const struct bp_statement enter = BP_STATEMENT(
        .name = "events.consumer_enter", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
        .sql = "INSERT INTO event_consumers (name, position) SELECT $1, coalesce(max(id), 0) FROM events WHERE true"
               " ON CONFLICT (name) DO NOTHING",
        .sql_postgres = "INSERT INTO event_consumers (name, position) SELECT $1, position FROM event_head"
                        " ON CONFLICT (name) DO NOTHING");
/* Of SQLite there is one writer; elsewhere whoever finds it locked leaves it to the other. */
static const struct bp_statement take =
    BP_STATEMENT(.name = "events.consumer_take", .sql = "SELECT position FROM event_consumers WHERE name = $1",
                 .sql_postgres = "SELECT position FROM event_consumers WHERE name = $1 FOR UPDATE SKIP LOCKED",
                 .rows = place_rows, .row_size = sizeof(struct place));
static const struct bp_statement move =
    BP_STATEMENT(.name = "events.consumer_move", .sql = "UPDATE event_consumers SET position = $2 WHERE name = $1");

int consume(void *self, struct bp_host *host, const char *name, bp_events_function *function, void *argument)
{
    struct events *events = self;
    struct consumer **end = &events->consumers;
    for (; *end; end = &(*end)->next)
        if (strcmp((*end)->name, name) == 0)
            return bp_config_error(host, NULL, "the name \"%s\" is that of another consumer of events", name);
    struct consumer *consumer = calloc(1, sizeof(*consumer));
    if (consumer)
        consumer->name = strdup(name);
    if (!consumer || !consumer->name) {
        free(consumer);
        return BP_NOMEM;
    }
    consumer->events = events;
    consumer->host = host;
    consumer->function = function;
    consumer->argument = argument;
    consumer->batch = BATCH_MAX;
    *end = consumer;
    return 0;
}

bool consume_is_loaded(const struct events *events, bp_str name)
{
    const struct consumer *consumer = events->consumers;
    while (consumer && !bp_str_is(name, consumer->name))
        consumer = consumer->next;
    return consumer != NULL;
}

void consume_free(struct events *events)
{
    for (struct consumer *consumer = events->consumers, *next; consumer; consumer = next) {
        next = consumer->next;
        free(consumer->name);
        free(consumer);
    }
    events->consumers = NULL;
}

/* --- one batch --- */

static int give(struct consumer *consumer, struct bp_tx *tx, bool *ret_more)
{
    struct events *events = consumer->events;
    struct bp_db_value name = bp_db_text(bp_str_of(consumer->name));
    struct bp_result result;
    struct outbox_page page;
    int status = bp_db_query(events->db, tx, &take, &name, 1, bp_fiber_arena(), &result);
    if (status != 0 || result.len == 0)
        return status;
    int64_t position = ((const struct place *)result.rows)->position;
    status = outbox_read(events, tx, position, consumer->batch, false, bp_fiber_arena(), &page);
    if (status != 0)
        return status;
    consumer->position = position;
    consumer->weight = page.cut ? OUTBOX_CUT_WEIGHT : 1;
    if (page.upto == position)
        return 0;
    if (position < page.forgotten)
        bp_log(consumer->host, BP_LOG_ERROR, "events.consumer_missed",
               "A consumer was away for longer than events are kept: some were not given to it",
               bp_log_cstr("consumer", consumer->name), bp_log_int("position", position),
               bp_log_int("forgotten", page.forgotten));
    if (page.len > 0)
        status = consumer->function(tx, page.items, page.len, consumer->argument);
    if (status == 0)
        status = bp_db_query(events->db, tx, &move, BP_VALUES(name, bp_db_i64(page.upto)), NULL, NULL);
    if (status == 0) {
        consumer->position = page.upto;
        *ret_more = true;
    }
    return status;
}

/* *ret_more: events were given, and there may be others. */
static int run_batch(struct consumer *consumer, bool *ret_more)
{
    struct bp_service db = consumer->events->db;
    struct bp_tx *tx;
    int64_t before = consumer->position;
    *ret_more = false;
    int status = bp_db_begin(db, &tx);
    if (status != 0)
        return status;
    status = give(consumer, tx, ret_more);
    if (status == 0 && *ret_more) {
        status = bp_db_commit(db, tx);
        if (status != 0)
            consumer->position = before; /* it is read again, whatever came of it */
        return status;
    }
    bp_db_rollback(db, tx);
    return status;
}

/* Fewer at a time, in case that they were too many, or that one of them is what is wrong; later and later. */
static void fail(struct consumer *consumer, int status)
{
    bp_span wait = RETRY_MOST;
    if (consumer->failures < 10)
        wait = RETRY_FIRST << consumer->failures;
    if (wait > RETRY_MOST)
        wait = RETRY_MOST;
    consumer->failures++;
    consumer->not_before = bp_clock() + wait;
    consumer->batch = consumer->batch > 4 ? consumer->batch / 4 : 1;
    bp_log(consumer->host, BP_LOG_WARN, "events.consumer_failed",
           "A consumer of events failed; it is given the same events again", bp_log_cstr("consumer", consumer->name),
           bp_log_int("position", consumer->position),
           bp_log_cstr("status", status < 0 ? bp_status_name(status) : "a condition"),
           bp_log_int("failures", consumer->failures), bp_log_int("retry_ms", wait / BP_MILLISECOND));
}

static int run(void *argument)
{
    struct consumer *consumer = argument;
    bool more = true;
    int status = 0;
    for (unsigned i = 0; more && i < BATCHES && bp_serving(); i += consumer->weight) {
        status = run_batch(consumer, &more);
        if (status != 0)
            break;
        consumer->failures = 0;
        consumer->batch = consumer->batch * 2 < BATCH_MAX ? consumer->batch * 2 : BATCH_MAX;
    }
    if (status != 0 && status != BP_CANCELED)
        fail(consumer, status);
    consumer->running = false;
    return 0;
}

/* --- who has something to do --- */

static int know(struct consumer *consumer)
{
    struct bp_service db = consumer->events->db;
    struct bp_db_value name = bp_db_text(bp_str_of(consumer->name));
    struct bp_result result;
    int status = bp_db_query(db, NULL, &find, &name, 1, bp_fiber_arena(), &result);
    if (status == 0 && result.len == 0) {
        status = bp_db_query(db, NULL, &enter, &name, 1, NULL, NULL);
    } else if (status == 0) {
        consumer->position = ((const struct place *)result.rows)->position;
        consumer->known = true;
    }
    return status;
}

static void begin(struct consumer *consumer)
{
    consumer->running = true;
    if (bp_spawn(consumer->host, "events.consumer", run, consumer, BP_FOREVER) < 0)
        consumer->running = false;
}

static int watch(struct events *events)
{
    struct outbox_head head;
    bool idle = true;
    for (struct consumer *consumer = events->consumers; consumer; consumer = consumer->next) {
        int status = consumer->known ? 0 : know(consumer);
        if (status != 0)
            return status;
        idle = idle && consumer->known && !bp_runs_jobs();
    }
    if (idle) { /* all have their places, and who serves has nothing more to do for them */
        events->consume_timer = bp_timer_free(events->consume_timer);
        return 0;
    }
    if (!bp_runs_jobs())
        return 0;
    int status = outbox_poll(events, &head);
    bp_time now = bp_clock();
    for (struct consumer *consumer = events->consumers; status == 0 && consumer && bp_serving();
         consumer = consumer->next) {
        if (consumer->position > head.last) /* the database is an older one than before: its place is another */
            consumer->known = consumer->running;
        if (consumer->known && !consumer->running && consumer->position < head.last && consumer->not_before <= now)
            begin(consumer);
    }
    return status;
}

static int watch_once(void *argument)
{
    struct events *events = argument;
    int status = watch(events);
    events->watching = false;
    return status == BP_BUSY || status == BP_TIMEOUT ? 0 : status; /* the next round will do it */
}

static void watch_soon(void *argument)
{
    struct events *events = argument;
    if (events->watching || !bp_serving())
        return;
    events->watching = true;
    if (bp_spawn(events->host, "events.watch", watch_once, events, BP_MINUTE) < 0)
        events->watching = false;
}

int consume_start(struct events *events)
{
    if (!events->consumers)
        return 0;
    events->consume_timer = bp_timer_every(events->host, events->poll, watch_soon, events);
    return events->consume_timer ? 0 : BP_NOMEM;
}
