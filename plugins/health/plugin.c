/* SPDX-License-Identifier: MIT */
#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "probes.h"

static const struct bp_field options[] = {
    BP_SPAN(struct health, timeout, .def = "2s", .min = 10 * BP_MILLISECOND, .max = 30 * BP_SECOND,
            .doc = "How long the database may take to answer before it counts as disconnected."),
    BP_END};

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct health, database, .optional = 1), BP_NEED_END};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/health/live", .handler = health_live, .name = "health.live",
             .doc = "200 as long as the worker answers; asks nothing else.", .reply = health_state_rows),
    BP_ROUTE(.method = BP_GET, .path = "/health/ready", .handler = health_ready, .name = "health.ready",
             .doc = "200 when requests should be sent here; 503 while draining or without the database.",
             .reply = health_state_rows),
    BP_ROUTE(.method = BP_GET, .path = "/health/database", .handler = health_database, .name = "health.database",
             .doc = "How each service is.", .reply = health_report_rows),
    BP_ROUTE_END};

static int start(struct bp_host *host, void *self)
{
    struct health *health = self;
    (void)host;
    health->started = bp_clock();
    return 0;
}

BP_PLUGIN(.name = "health", .version = "1.0.0", .doc = "Liveness, readiness and the state of services.",
          .self_size = sizeof(struct health), .options = options, .needs = needs, .routes = routes, .start = start);
