/* SPDX-License-Identifier: MIT */
/* slow_log: a line in the log for every request that takes long. */
#include <backplane/backplane.h>

struct slow_log {
    struct bp_host *host;
    struct bp_metric *requests;
};

/* One for each use in a pipeline. */
struct slow_log_stage {
    bp_span threshold;
};

static const struct bp_field options[] = {BP_SPAN(struct slow_log_stage, threshold, .flags = BP_STAGE, .def = "1s",
                                                  .max = BP_HOUR,
                                                  .doc = "Requests that take this long are logged; 0: all."),
                                          BP_END};

static const struct bp_metric_row metrics[] = {BP_METRIC(struct slow_log, requests, .type = BP_COUNTER,
                                                         .name = "slow_log_requests_total",
                                                         .help = "Requests that took long.", .labels = {"stage"}),
                                               BP_METRIC_END};

static int slow_log_init(struct bp_host *host, void *self)
{
    struct slow_log *slow_log = self;
    slow_log->host = host;
    return 0;
}

static int slow_log_measure(struct bp_request *rq, void *self, const void *stage)
{
    const struct slow_log *slow_log = self;
    const struct slow_log_stage *options_here = stage;
    bp_time start = bp_now(rq);
    int status = bp_next(rq); /* the rest of the pipeline, and the handler */
    bp_span took = bp_now(rq) - start;
    if (took < options_here->threshold)
        return status;
    bp_str name = bp_stage_name(rq);
    bp_metric_add(bp_series(slow_log->requests, &name), 1);
    bp_log(slow_log->host, BP_LOG_WARN, "slow_log.slow", "A request took long",
           bp_log_str("route", bp_request_route(rq)), bp_log_int("ms", took / BP_MILLISECOND));
    return status;
}

BP_PLUGIN(.name = "slow_log", .version = "1.0.0", .doc = "Logs requests that take long.",
          .self_size = sizeof(struct slow_log), .stage_size = sizeof(struct slow_log_stage), .options = options,
          .metrics = metrics, .phase = BP_PHASE_OBSERVE, .init = slow_log_init, .middleware = slow_log_measure);
