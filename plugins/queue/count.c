/* SPDX-License-Identifier: MIT */
#include "count.h"

#include "queue.h"

static const double duration_buckets[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                          0.5,   1,      2.5,   5,    10,    30,   60,  300};
static const double delay_buckets[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                       0.5,   1,      5,     30,   60,    300,  3600};

const struct bp_metric_row count_metrics[] = {
    BP_METRIC(struct queue, jobs_metric, .type = BP_COUNTER, .name = "backplane_queue_jobs_total",
              .help = "Runs of jobs, by what became of them: done, retry, dead, given_back.",
              .labels = {"queue", "kind", "outcome"}, .max_series = 1000),
    BP_METRIC(struct queue, duration_metric, .type = BP_HISTOGRAM, .name = "backplane_queue_job_duration_seconds",
              .help = "How long runs of jobs took.", .labels = {"kind"}, .buckets = duration_buckets,
              .bucket_count = sizeof(duration_buckets) / sizeof(duration_buckets[0])),
    BP_METRIC(struct queue, delay_metric, .type = BP_HISTOGRAM, .name = "backplane_queue_start_delay_seconds",
              .help = "From when jobs could have run until they were fetched.", .labels = {"queue"},
              .buckets = delay_buckets, .bucket_count = sizeof(delay_buckets) / sizeof(delay_buckets[0])),
    /* What the database says. */
    BP_METRIC(struct queue, depth_metric, .type = BP_GAUGE, .name = "backplane_queue_depth",
              .help = "Jobs in the database that have not ended well, by state: waiting, scheduled, running, dead.",
              .labels = {"queue", "state"}, .aggregate = BP_METRIC_MAX),
    BP_METRIC(struct queue, oldest_metric, .type = BP_GAUGE, .name = "backplane_queue_oldest_job_age_seconds",
              .help = "For how long the first of the jobs that wait could have run.", .labels = {"queue"},
              .aggregate = BP_METRIC_MAX, .scale = 0.001),
    BP_METRIC_END};

void count_start(struct queue *queue)
{
    for (struct lane *lane = queue->lanes; lane; lane = lane->next)
        lane->delay = bp_series(queue->delay_metric, &lane->name);
    for (struct kind *kind = queue->kinds; kind; kind = kind->next)
        kind->duration = bp_series(queue->duration_metric, &kind->name);
}

void count_outcome(const struct queue *queue, const struct kind *kind, const char *outcome)
{
    bp_str labels[] = {kind->lane->name, kind->name, bp_str_of(outcome)};
    bp_metric_add(bp_series(queue->jobs_metric, labels), 1);
}
