/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "metrics.h"
#include "process.h"

#define REFRESH (5 * BP_SECOND)
#define BUCKETS_MAX 64

/* The boundaries that OpenTelemetry's HTTP conventions ask for, in seconds. */
static const double default_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};

#define S struct metrics

static const struct bp_metric_row metrics_table[] = {
    BP_METRIC(S, active, .type = BP_GAUGE, .name = "http_server_active_requests",
              .help = "Number of HTTP server requests in flight."),
    BP_METRIC(S, build, .type = BP_GAUGE, .name = "backplane_build_info", .help = "The version that runs, as a label.",
              .labels = {"version"}, .aggregate = BP_METRIC_MAX),
    BP_METRIC(S, cpu, .type = BP_COUNTER, .name = "process_cpu_seconds_total",
              .help = "User and system CPU time of all workers.", .scale = 0.000001),
    BP_METRIC(S, resident, .type = BP_GAUGE, .name = "process_resident_memory_bytes",
              .help = "Resident memory, summed over the workers (shared pages count in each)."),
    BP_METRIC(S, open_fds, .type = BP_GAUGE, .name = "process_open_fds",
              .help = "Open file descriptors, summed over the workers."),
    BP_METRIC(S, max_fds, .type = BP_GAUGE, .name = "process_max_fds",
              .help = "Limit of open file descriptors, summed over the workers."),
    BP_METRIC(S, start_time, .type = BP_GAUGE, .name = "process_start_time_seconds",
              .help = "Start of the server, in seconds since the Unix epoch.", .aggregate = BP_METRIC_MAX,
              .scale = 0.001),
    BP_METRIC_END};

static const struct bp_field bucket_rows[] = {{.name = "", .type = BP_TYPE_F64}, BP_END};
static const struct bp_field options[] = {
    BP_ARRAY(S, buckets, double, bucket_rows, .max = BUCKETS_MAX,
             .doc =
                 "Upper bounds of the buckets of http_server_request_duration_seconds, in seconds, ascending. Empty: "
                 "0.005 to 10, those of OpenTelemetry."),
    BP_END};

static int init(struct bp_host *host, void *self)
{
    struct metrics *metrics = self;
    struct bp_metric_def duration = {.size = sizeof(duration),
                                     .type = BP_HISTOGRAM,
                                     .name = "http_server_request_duration_seconds",
                                     .help = "Duration of HTTP server requests.",
                                     .labels = {"http_request_method", "http_route", "http_response_status_code"},
                                     .buckets = default_buckets,
                                     .bucket_count = sizeof(default_buckets) / sizeof(default_buckets[0]),
                                     .max_series = 500,
                                     .exemplars = 1};
    if (metrics->buckets.len > 0) {
        const double *bounds = metrics->buckets.ptr;
        for (size_t i = 0; i < metrics->buckets.len; i++)
            if (!(bounds[i] > (i > 0 ? bounds[i - 1] : 0)))
                return bp_config_error(host, "buckets", "must ascend, from above 0");
        duration.buckets = bounds;
        duration.bucket_count = (uint32_t)metrics->buckets.len;
    }
    metrics->duration = bp_metric_new(host, &duration);
    return metrics->duration ? 0 : BP_INVALID;
}

void metrics_refresh(struct metrics *metrics)
{
    int64_t used = process_cpu_microseconds();

    bp_metric_add(metrics->cpu_total, used - metrics->cpu_counted);
    metrics->cpu_counted = used;
    bp_metric_set(metrics->resident_now, process_resident_bytes());
    bp_metric_set(metrics->open_fds_now, process_open_fds());
}

/* A scrape reads only the worker that it reaches: each says for itself how it fares. */
static void refresh(void *argument)
{
    metrics_refresh(argument);
}

static int start(struct bp_host *host, void *self)
{
    struct metrics *metrics = self;
    const bp_str version = bp_str_of(bp_version());

    metrics->active_now = bp_series(metrics->active, NULL);
    metrics->cpu_total = bp_series(metrics->cpu, NULL);
    metrics->resident_now = bp_series(metrics->resident, NULL);
    metrics->open_fds_now = bp_series(metrics->open_fds, NULL);
    bp_metric_set(bp_series(metrics->build, &version), 1);
    bp_metric_set(bp_series(metrics->max_fds, NULL), process_max_fds());
    bp_metric_set(bp_series(metrics->start_time, NULL), bp_server_began());
    metrics_refresh(metrics);
    return bp_timer_every(host, REFRESH, refresh, metrics) ? 0 : BP_NOMEM;
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/metrics", .handler = metrics_expose, .name = "metrics.expose",
             .reply_type = "text/plain, application/openmetrics-text",
             .doc = "The server's metrics, in the Prometheus text format or as OpenMetrics."),
    BP_ROUTE_END};

BP_PLUGIN(.name = "metrics", .version = "1.0.0",
          .doc = "Measures requests, and shows all metrics of the server to Prometheus.",
          .self_size = sizeof(struct metrics), .phase = BP_PHASE_OBSERVE, .options = options, .metrics = metrics_table,
          .routes = routes, .init = init, .start = start, .middleware = metrics_observe);
