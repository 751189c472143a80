/* SPDX-License-Identifier: MIT */
/* Metrics. */
#include "redis.h"

static const double buckets[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1};

const struct bp_metric_row redis_metrics[] = {
    BP_METRIC(struct redis, up, .type = BP_GAUGE, .name = "redis_up",
              .help = "1 while a worker has a connection that answers.", .labels = {"instance"},
              .aggregate = BP_METRIC_MAX),
    BP_METRIC(struct redis, open, .type = BP_GAUGE, .name = "redis_circuit_open",
              .help = "Workers that have stopped asking Redis.", .labels = {"instance"}),
    BP_METRIC(struct redis, in_flight, .type = BP_GAUGE, .name = "redis_commands_in_flight",
              .help = "Commands that were not answered yet.", .labels = {"instance"}),
    BP_METRIC(struct redis, pending, .type = BP_GAUGE, .name = "redis_commands_waiting",
              .help = "Those of them that wait for a connection.", .labels = {"instance"}),
    BP_METRIC(struct redis, limit, .type = BP_GAUGE, .name = "redis_commands_limit",
              .help = "Commands that may be in flight, all workers together.", .labels = {"instance"}),
    BP_METRIC(struct redis, refused, .type = BP_COUNTER, .name = "redis_commands_refused_total",
              .help = "Commands that were not sent: Redis is away, or too many are in flight.", .labels = {"instance"}),
    BP_METRIC(struct redis, failed, .type = BP_COUNTER, .name = "redis_command_failures_total",
              .help = "Commands that failed.", .labels = {"instance", "reason"}),
    BP_METRIC(struct redis, connects, .type = BP_COUNTER, .name = "redis_connections_total",
              .help = "Connections made.", .labels = {"instance"}),
    BP_METRIC(struct redis, duration, .type = BP_HISTOGRAM, .name = "redis_command_duration_seconds",
              .help = "From asking to the answer, or to giving up.", .labels = {"instance", "command"},
              .buckets = buckets, .bucket_count = sizeof(buckets) / sizeof(buckets[0])),
    BP_METRIC_END};

void redis_observe_start(struct redis *redis)
{
    bp_str instance = bp_instance_name(redis->host);
    redis->up_series = bp_series(redis->up, &instance);
    redis->open_series = bp_series(redis->open, &instance);
    redis->in_flight_series = bp_series(redis->in_flight, &instance);
    redis->pending_series = bp_series(redis->pending, &instance);
    redis->refused_series = bp_series(redis->refused, &instance);
    redis->connects_series = bp_series(redis->connects, &instance);
    bp_metric_set(bp_series(redis->limit, &instance), redis->queue);
}

void redis_observe_queue(const struct redis *redis)
{
    bp_metric_set(redis->in_flight_series, (int64_t)redis->queued);
    bp_metric_set(redis->pending_series, (int64_t)redis->waiting.len);
}

void redis_observe_state(struct redis *redis)
{
    bp_metric_set(redis->up_series, !redis->breaker.open && redis_least_busy(redis) ? 1 : 0);
    bp_metric_set(redis->open_series, redis->breaker.open ? 1 : 0);
    redis_observe_queue(redis);
}

static const char *reason_of(int status)
{
    switch (status) {
    case BP_TIMEOUT:
        return "timeout";
    case BP_CANCELED:
        return "canceled";
    case BP_BUSY:
        return "away";
    default:
        return "error";
    }
}

void redis_observe_command(struct redis *redis, const char *command, bp_time started, int status)
{
    bp_str labels[2] = {bp_instance_name(redis->host), bp_str_of(command)};
    bp_metric_observe(bp_series(redis->duration, labels), (double)(bp_clock() - started) / (double)BP_SECOND);
    redis_observe_queue(redis);
    if (status >= 0)
        return;
    labels[1] = bp_str_of(reason_of(status));
    bp_metric_add(bp_series(redis->failed, labels), 1);
}

struct bp_trace_span *redis_span_begin(const struct redis *redis, const char *command)
{
    struct bp_trace_span *span = bp_trace_begin(command, BP_TRACE_CLIENT);
    if (!span)
        return NULL;
    bp_trace_text_borrow(span, "db.system.name", BP_STR("redis"));
    bp_trace_text(span, "db.operation.name", bp_str_of(command));
    bp_trace_text(span, "server.address", bp_str_of(redis->endpoint.host));
    if (redis->endpoint.port > 0)
        bp_trace_integer(span, "server.port", redis->endpoint.port);
    return span;
}

void redis_span_end(struct bp_trace_span *span, int status)
{
    if (status < 0)
        bp_trace_error(span, bp_status_name(status));
    bp_trace_end(span);
}
