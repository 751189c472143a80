/* SPDX-License-Identifier: MIT */
/* What the configuration says, as the rows of options.c fill it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "backplane/backplane.h"

enum store_kind { STORE_AUTO, STORE_MEMORY, STORE_REDIS };
enum failure_policy { FAILURE_LOCAL, FAILURE_OPEN, FAILURE_CLOSED };

/* Options of a stage. */
struct rate_limit_stage {
    uint32_t quota, burst;
    bp_span window;
    struct bp_array limits; /* struct limit_option; none: the three above are the one */
    bp_str key;
    bp_str api_key_header;
    uint32_t ipv6_prefix, algorithm, clients;
    struct bp_array methods;                                      /* bp_str */
    struct bp_array costs;                                        /* struct cost_option */
    struct bp_array exempt_networks, exempt_users, exempt_routes; /* bp_str */
    uint32_t store, on_store_failure, replicas;
    bp_span store_timeout;
};

struct limit_option {
    uint32_t quota, burst;
    bp_span window;
};

struct cost_option {
    bp_str match;
    uint32_t cost;
};

extern const struct bp_field rate_limit_options[];

#endif
