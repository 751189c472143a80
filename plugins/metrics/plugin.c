/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "metrics.h"
#include "process.h"

#define REFRESH (5 * BP_SECOND)

/* The boundaries that OpenTelemetry's HTTP conventions ask for, in seconds. */
static const double buckets[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};

#define DEF(type_, name_, help_, ...)                                                                        \
    {                                                                                                        \
        .size = sizeof(struct bp_metric_def), .type = (type_), .name = (name_), .help = (help_), __VA_ARGS__ \
    }

static const struct bp_metric_def duration =
    DEF(BP_HISTOGRAM, "http_server_request_duration_seconds", "Duration of HTTP server requests.",
        .labels = {"http_request_method", "http_route", "http_response_status_code"}, .buckets = buckets,
        .bucket_count = sizeof(buckets) / sizeof(buckets[0]), .max_series = 500, .exemplars = 1);
static const struct bp_metric_def active =
    DEF(BP_GAUGE, "http_server_active_requests", "Number of HTTP server requests in flight.", .max_series = 0);
static const struct bp_metric_def build = DEF(BP_GAUGE, "backplane_build_info", "The version that runs, as a label.",
                                              .labels = {"version"}, .aggregate = BP_METRIC_MAX);
static const struct bp_metric_def cpu =
    DEF(BP_COUNTER, "process_cpu_seconds_total", "User and system CPU time of all workers.", .scale = 0.000001);
static const struct bp_metric_def resident =
    DEF(BP_GAUGE, "process_resident_memory_bytes",
        "Resident memory, summed over the workers (shared pages count in each).", .scale = 1);
static const struct bp_metric_def open_fds =
    DEF(BP_GAUGE, "process_open_fds", "Open file descriptors, summed over the workers.", .scale = 1);
static const struct bp_metric_def max_fds =
    DEF(BP_GAUGE, "process_max_fds", "Limit of open file descriptors, summed over the workers.", .scale = 1);
static const struct bp_metric_def start_time =
    DEF(BP_GAUGE, "process_start_time_seconds", "Start of the supervisor, in seconds since the Unix epoch.",
        .aggregate = BP_METRIC_MAX, .scale = 0.001);

static int init(struct bp_host *host, void *self)
{
    struct metrics *metrics = self;
    const struct {
        struct bp_metric **place;
        const struct bp_metric_def *def;
    } all[] = {{&metrics->duration, &duration}, {&metrics->active, &active},        {&metrics->build, &build},
               {&metrics->cpu, &cpu},           {&metrics->resident, &resident},    {&metrics->open_fds, &open_fds},
               {&metrics->max_fds, &max_fds},   {&metrics->start_time, &start_time}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        *all[i].place = bp_metric_new(host, all[i].def);
        if (!*all[i].place)
            return BP_INVALID;
    }
    return 0;
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
    bp_metric_set(bp_series(metrics->start_time, NULL), process_started((int)getppid()));
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
          .self_size = sizeof(struct metrics), .phase = BP_PHASE_OBSERVE, .routes = routes, .init = init,
          .start = start, .middleware = metrics_observe);
