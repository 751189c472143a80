/* SPDX-License-Identifier: MIT */
/*
 * The metrics of the server, read now and then by the one worker whose duty it is, off the loop, and handed to the exporter. They are cumulative: what
 * was not taken is told again by the next reading, so that no old ones are kept.
 */
#include "semantic.h"
#include "tracing.h"

/* Points of a request at most; a metric is not divided. Points that may wait: all that there can be. */
#define BATCH_POINTS 4000u
#define QUEUE_POINTS 1000000u
#define NANOSECONDS INT64_C(1000000) /* of a millisecond */

struct reading {
    struct exporter *exporter;
    const struct bp_metric_def *def; /* of the metric that is open; NULL: none */
    struct bytes *out;               /* NULL: there is no room for it */
    struct otlp_metric metric;
    struct otlp_open open;
    uint32_t points;
    struct bytes texts;
    int64_t began, now;
};

static void end_metric(struct reading *reading)
{
    if (reading->out)
        reading->exporter->encoder->metric_end(reading->out, &reading->metric, &reading->open);
    (void)exporter_keep(reading->exporter, reading->points);
    reading->def = NULL;
    reading->points = 0;
}

static void begin_metric(struct reading *reading, const struct bp_metric_def *def)
{
    reading->def = def;
    reading->metric = semantic_metric(def);
    reading->out = exporter_item(reading->exporter);
    if (reading->out)
        reading->exporter->encoder->metric_begin(reading->out, &reading->metric, &reading->open);
}

static void add_point(void *argument, const struct bp_metric_reading *found)
{
    struct reading *reading = argument;
    struct attribute attributes[BP_METRIC_LABELS];
    if (reading->def && reading->def != found->def)
        end_metric(reading);
    if (!reading->def)
        begin_metric(reading, found->def);
    reading->points++;
    if (!reading->out)
        return;
    const struct otlp_point point = {.reading = found,
                                     .attributes = semantic_attributes(found, attributes, &reading->texts),
                                     .began = reading->began,
                                     .now = reading->now};
    reading->exporter->encoder->point(reading->out, &reading->metric, &reading->open, &point);
}

/* On a thread of the offload pool. */
static int read_all(void *job)
{
    struct reading *reading = job;
    bp_metrics_each(add_point, reading);
    if (reading->def)
        end_metric(reading);
    bytes_deinit(&reading->texts);
    bytes_deinit(&reading->exporter->item); /* large, and not needed until the next reading */
    return 0;
}

static void read_metrics(struct tracing *tracing)
{
    struct exporter *exporter = &tracing->exporters[OTLP_METRICS];
    struct reading reading = {
        .exporter = exporter, .began = bp_server_began() * NANOSECONDS, .now = bp_date_now() * NANOSECONDS};
    exporter_drop(exporter, DROP_UNREACHABLE, batches_clear(&exporter->batches));
    if (bp_offload(read_all, &reading) != 0)
        return; /* its queue is full: the next reading tells all */
    exporter_note_waiting(exporter);
    exporter_send(exporter);
}

static int read_on_fiber(void *argument)
{
    struct tracing *tracing = argument;
    read_metrics(tracing);
    tracing->reading = false;
    return 0;
}

/* The worker that has it asks as often as all: two turns missed, and it is gone, or stuck. */
static bool is_mine(const struct tracing *tracing)
{
    return bp_duty_take(&tracing->shared->exporting, 2 * tracing->metrics_interval);
}

static void tick(void *argument)
{
    struct tracing *tracing = argument;
    if (!is_mine(tracing) || tracing->reading)
        return;
    tracing->reading = bp_spawn(tracing->host, "read metrics", read_on_fiber, tracing, BP_FOREVER) == 0;
}

int metrics_start(struct tracing *tracing)
{
    struct exporter *exporter = &tracing->exporters[OTLP_METRICS];
    exporter_start(exporter, tracing, OTLP_METRICS);
    batches_init(&exporter->batches, exporter->encoder->separator, BATCH_POINTS, QUEUE_POINTS, tracing->queue_bytes);
    exporter->timeout = tracing->metrics_timeout;
    exporter->eager = true;
    if (exporter->retry_time > tracing->metrics_interval)
        exporter->retry_time = tracing->metrics_interval;
    return bp_timer_every(tracing->host, tracing->metrics_interval, tick, tracing) ? 0 : BP_NOMEM;
}

void metrics_stop(struct tracing *tracing)
{
    if (is_mine(tracing) && !tracing->reading)
        read_metrics(tracing);
    bp_duty_leave(&tracing->shared->exporting);
}
