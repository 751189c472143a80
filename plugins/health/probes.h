/* SPDX-License-Identifier: MIT */
/* What load balancers and people ask: alive, ready, and how the services are. */
#ifndef HEALTH_PROBES_H
#define HEALTH_PROBES_H

#include "backplane/plugin.h"

struct health {
    bp_span timeout;
    struct bp_service database;
    bp_time started;
};

struct health_state {
    bp_str status;
    bp_date timestamp;
};

struct health_services {
    bp_str database, redis;
};

struct health_report {
    uint64_t set, null;
    bp_str status, message;
    double uptime;
    bp_date timestamp;
    struct health_services services;
};

extern const struct bp_field health_state_rows[], health_report_rows[];

bp_handler health_live, health_ready, health_database;

#endif
