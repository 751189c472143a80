/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include "consume.h"
#include "outbox.h"

const struct bp_metric_row measure_metrics[] = {
    BP_METRIC(struct events, total_metric, .type = BP_COUNTER, .name = "backplane_events_total",
              .help = "Events that were committed, each counted by one worker of all servers.", .labels = {"type"}),
    BP_METRIC(struct events, length_metric, .type = BP_GAUGE, .name = "backplane_events_outbox_length",
              .help = "Positions from the oldest event that is kept to the last one.", .aggregate = BP_METRIC_MAX),
    BP_METRIC(struct events, age_metric, .type = BP_GAUGE, .name = "backplane_events_outbox_age_seconds",
              .help = "Age of the oldest event that is kept.", .aggregate = BP_METRIC_MAX, .scale = 0.001),
    BP_METRIC(struct events, lag_metric, .type = BP_GAUGE, .name = "backplane_events_consumer_lag",
              .help = "Positions that a consumer of a loaded plugin is behind the last event.", .labels = {"consumer"},
              .aggregate = BP_METRIC_MAX),
    BP_METRIC(struct events, lag_seconds_metric, .type = BP_GAUGE, .name = "backplane_events_consumer_lag_seconds",
              .help = "Age of the oldest event that a consumer was not given yet; 0: it has had all.",
              .labels = {"consumer"}, .aggregate = BP_METRIC_MAX, .scale = 0.001),
    BP_METRIC(struct events, streams_metric, .type = BP_GAUGE, .name = "backplane_events_streams",
              .help = "Clients of GET /api/v1/events that are connected."),
    BP_METRIC(struct events, sent_metric, .type = BP_COUNTER, .name = "backplane_events_sent_total",
              .help = "Events that were sent to clients, each as often as it was sent."),
    BP_METRIC(struct events, resyncs_metric, .type = BP_COUNTER, .name = "backplane_events_resyncs_total",
              .help = "Clients that were told to read everything anew, because events they have missed are forgotten."),
    BP_METRIC(struct events, ended_metric, .type = BP_COUNTER, .name = "backplane_events_streams_ended_total",
              .help = "Streams that ended: the client left, was slow, its time was over, its session or account ended, "
                      "the worker stopped, or it failed.",
              .labels = {"end"}),
    BP_METRIC_END};

struct oldest {
    int64_t position;
    bp_date at;
};
static const struct bp_field oldest_rows[] = {BP_I64(struct oldest, position), BP_DATE(struct oldest, at), BP_END};
static const struct bp_statement find_oldest =
    BP_STATEMENT(.name = "events.oldest", .flags = BP_SQL_READ,
                 .sql = "SELECT id, at FROM events WHERE id > 0 ORDER BY id LIMIT 1",
                 .sql_postgres = "SELECT position, at FROM events WHERE position > 0 ORDER BY position LIMIT 1",
                 .rows = oldest_rows, .row_size = sizeof(struct oldest));

struct lag {
    bp_str name;
    int64_t position;
    bp_date next; /* of the first event that it was not given; 0: there is none */
};
static const struct bp_field lag_rows[] = {BP_TEXT(struct lag, name), BP_I64(struct lag, position),
                                           BP_DATE(struct lag, next), BP_END};
static const struct bp_statement find_lags = BP_STATEMENT(
        .name = "events.lags", .flags = BP_SQL_READ,
        .sql = "SELECT c.name, c.position, (SELECT e.at FROM events e WHERE e.id > c.position ORDER BY e.id LIMIT 1)"
               " FROM event_consumers c",
        .sql_postgres = "SELECT c.name, c.position, (SELECT e.at FROM events e WHERE e.position > c.position"
                        " ORDER BY e.position LIMIT 1) FROM event_consumers c",
        .rows = lag_rows, .row_size = sizeof(struct lag));

static bp_date age(bp_date at)
{
    bp_date now = bp_date_now();
    return at == 0 || at > now ? 0 : now - at;
}

static int measure(struct events *events)
{
    struct outbox_head head;
    struct bp_result result;
    int status = outbox_advance(events, &head);
    if (status == 0)
        status = bp_db_query(events->db, NULL, &find_oldest, BP_NO_VALUES, bp_fiber_arena(), &result);
    if (status != 0)
        return status;
    const struct oldest *oldest = result.rows;
    bp_metric_set(bp_series(events->length_metric, NULL), oldest ? head.last - oldest->position + 1 : 0);
    bp_metric_set(bp_series(events->age_metric, NULL), oldest ? age(oldest->at) : 0);
    status = bp_db_query(events->db, NULL, &find_lags, BP_NO_VALUES, bp_fiber_arena(), &result);
    for (size_t i = 0; status == 0 && i < result.len; i++) {
        const struct lag *lag = (const struct lag *)result.rows + i;
        if (!consume_is_loaded(events, lag->name)) /* of a plugin that was taken out: nobody goes on for it */
            continue;
        bp_metric_set(bp_series(events->lag_metric, &lag->name),
                      head.last > lag->position ? head.last - lag->position : 0);
        bp_metric_set(bp_series(events->lag_seconds_metric, &lag->name), age(lag->next));
    }
    return status > 0 ? BP_ERROR : status;
}

static int measure_once(void *argument)
{
    struct events *events = argument;
    int status = measure(events);
    events->measuring = false;
    return status == BP_BUSY || status == BP_TIMEOUT ? 0 : status; /* the next round will do it */
}

static void measure_soon(void *argument)
{
    struct events *events = argument;
    /* A worker that has not taken it again for so long is gone, and its gauges with it. */
    if (!bp_duty_take(&events->shared->measuring, 3 * events->measure + BP_SECOND) || events->measuring)
        return;
    events->measuring = true;
    if (bp_spawn(events->host, "events.measure", measure_once, events, BP_MINUTE) < 0)
        events->measuring = false;
}

int measure_start(struct events *events)
{
    events->measure_timer = bp_timer_every(events->host, events->measure, measure_soon, events);
    return events->measure_timer ? 0 : BP_NOMEM;
}

void measure_stop(struct events *events)
{
    events->measure_timer = bp_timer_free(events->measure_timer);
    if (events->shared)
        bp_duty_leave(&events->shared->measuring);
}
