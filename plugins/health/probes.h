/* SPDX-License-Identifier: MIT */
/* What load balancers and people ask: alive, ready, and how the services are. */
#ifndef HEALTH_PROBES_H
#define HEALTH_PROBES_H

#include "backplane/plugin.h"
#include "checks.h"

enum { DETAILS_NAMES, DETAILS_FULL, DETAILS_NONE };

struct health {
    /* options */
    bp_span timeout, interval;
    uint32_t details;

    struct bp_host *host;
    bp_time started;
    struct checks checks;
};

struct health_reply {
    bp_str status;
    bp_date timestamp;
};

struct health_services {
    bp_str database, redis;
};

/* One check, as it is shown. */
struct health_line {
    uint64_t set, null;
    bp_str name, instance, status;
    bool required;
    double latency_ms;
    bp_str detail;
};

struct health_report {
    uint64_t set, null;
    bp_str status, message;
    double uptime;
    bp_date timestamp;
    struct health_services services;
    struct bp_array checks;
};

extern const struct bp_field health_reply_rows[], health_report_rows[];

bp_handler health_live, health_ready, health_database;

#endif
