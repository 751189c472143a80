/* SPDX-License-Identifier: MIT */
#include "backplane/backplane.h"
#include "probes.h"

static const char *const details[] = {"names", "full", "none", NULL};

static const struct bp_field options[] = {
    BP_SPAN(struct health, timeout, .def = "2s", .min = 10 * BP_MILLISECOND, .max = 30 * BP_SECOND,
            .doc = "How long a service may take to answer before it counts as down."),
    BP_SPAN(struct health, interval, .def = "1s", .min = 50 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How often each worker asks every service, and for how long an answer is remembered: probes in "
                   "between are answered from memory."),
    BP_CHOICE(struct health, details, .choices = details, .def = "names",
              .doc = "What `/health/database` says about each check: `names` gives its name, state and latency; `full` "
                     "also the line meant for operators, which may name hosts, users and files; `none` no check at "
                     "all."),
    BP_END};

static const struct bp_answer not_ready[] = {
    BP_ANSWER(.status = 503, .reply = health_reply_rows, .doc = "It is draining, or lacks a required service."),
    BP_ANSWER_END};
static const struct bp_answer unhealthy[] = {
    BP_ANSWER(.status = 503, .reply = health_report_rows, .doc = "The database is away."), BP_ANSWER_END};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/health/live", .handler = health_live, .name = "health.live",
             .doc = "200 as long as the worker answers; asks nothing else.", .reply = health_reply_rows,
             .reply_form = BP_REPLY_BARE),
    BP_ROUTE(.method = BP_GET, .path = "/health/ready", .handler = health_ready, .name = "health.ready",
             .doc = "200 when requests should be sent here; 503 while draining or without a required service.",
             .reply = health_reply_rows, .reply_form = BP_REPLY_BARE, .answers = not_ready),
    BP_ROUTE(.method = BP_GET, .path = "/health/database", .handler = health_database, .name = "health.database",
             .doc = "How each service is.", .reply = health_report_rows, .reply_form = BP_REPLY_BARE,
             .answers = unhealthy),
    BP_ROUTE_END};

static int init(struct bp_host *host, void *self)
{
    struct health *health = self;
    health->host = host;
    return 0;
}

static int start(struct bp_host *host, void *self)
{
    struct health *health = self;
    (void)host;
    health->started = bp_clock();
    return checks_start(health);
}

static void deinit(struct bp_host *host, void *self)
{
    struct health *health = self;
    (void)host;
    checks_deinit(&health->checks);
}

BP_PLUGIN(.name = "health", .version = "1.1.0", .doc = "Liveness, readiness and the state of services.",
          .self_size = sizeof(struct health), .options = options, .routes = routes, .metrics = health_metrics,
          .init = init, .start = start, .deinit = deinit);
