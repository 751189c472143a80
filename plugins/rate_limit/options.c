/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "key.h"
#include "match.h"

#define S struct rate_limit_stage
#define MOST_REQUESTS 1000000000
#define LONGEST_WINDOW (366 * BP_DAY)

static const char *const algorithms[] = {
    [ALGORITHM_SLIDING_WINDOW] = "sliding_window", [ALGORITHM_GCRA] = "gcra", NULL};
static const char *const stores[] = {[STORE_AUTO] = "auto", [STORE_MEMORY] = "memory", [STORE_REDIS] = "redis", NULL};
static const char *const failures[] = {
    [FAILURE_LOCAL] = "local", [FAILURE_OPEN] = "open", [FAILURE_CLOSED] = "closed", NULL};

static void check_key(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    struct key key;
    if (!key_parse(*(const bp_str *)value, &key))
        bp_problem_add(
            problems, row, "rate_limit.key",
            "must be \"ip\", \"user\", \"api_key\", \"route\" or \"header:name\" in lower case, or up to four of "
            "them joined by \"+\"");
}

static void check_match(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    struct match match;
    const char *problem = match_parse(*(const bp_str *)value, &match);
    if (problem)
        bp_problem_add(problems, row, "rate_limit.match", problem);
}

static void check_network(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    struct bp_network network;
    const char *problem = bp_network_parse(*(const bp_str *)value, &network);
    if (problem)
        bp_problem_add(problems, row, "rate_limit.network", problem);
}

static const struct bp_field limit_rows[] = {BP_U32(struct limit_option, quota, .flags = BP_REQUIRED, .min = 1,
                                                    .max = MOST_REQUESTS, .doc = "Requests per window."),
                                             BP_SPAN(struct limit_option, window, .flags = BP_REQUIRED,
                                                     .min = BP_MILLISECOND, .max = LONGEST_WINDOW,
                                                     .doc = "Length of the window."),
                                             BP_U32(struct limit_option, burst, .def = "0", .max = MOST_REQUESTS,
                                                    .doc = "gcra: how many at once; 0: the quota."),
                                             BP_END};

static const struct bp_field cost_rows[] = {
    BP_TEXT(struct cost_option, match, .flags = BP_REQUIRED, .check = check_match, .max = 1000,
            .doc = "\"POST /api/v1/auth/login\", \"/api/v1/reports/*\": method and path or route."),
    BP_U32(struct cost_option, cost, .flags = BP_REQUIRED, .max = MOST_REQUESTS,
           .doc = "As how many requests it counts; 0: it is not limited."),
    BP_END};

static const struct bp_field method_rows[] = {{.name = "", .type = BP_TYPE_TEXT, .min = 1, .max = 20}, BP_END};
static const struct bp_field network_rows[] = {
    {.name = "", .type = BP_TYPE_TEXT, .max = 64, .check = check_network, .label = "Network"}, BP_END};
static const struct bp_field user_rows[] = {{.name = "", .type = BP_TYPE_UUID, .label = "User"}, BP_END};
static const struct bp_field route_rows[] = {
    {.name = "", .type = BP_TYPE_TEXT, .max = 1000, .check = check_match, .label = "Route"}, BP_END};

const struct bp_field rate_limit_options[] = {
    BP_U32(S, quota, .flags = BP_STAGE, .def = "30", .min = 1, .max = MOST_REQUESTS,
           .doc = "Requests that a client may make per window."),
    BP_SPAN(S, window, .flags = BP_STAGE, .def = "60s", .min = BP_MILLISECOND, .max = LONGEST_WINDOW,
            .doc = "Length of the window."),
    BP_U32(S, burst, .flags = BP_STAGE, .def = "0", .max = MOST_REQUESTS,
           .doc = "gcra: how many requests a client may make at once; 0: the quota."),
    BP_ARRAY(
        S, limits, struct limit_option, limit_rows, .flags = BP_STAGE, .max = LIMITS_MAX,
        .doc =
            "Several limits at once, each a group of quota, window and burst, in place of the three above: a request "
            "must pass all of them, and is counted by all or none."),
    BP_TEXT(S, key, .flags = BP_STAGE, .def = "ip", .min = 1, .max = 200, .check = check_key,
            .doc = "Who is counted: \"ip\", \"user\" (whom a stage before it, such as auth, identified), \"api_key\", "
                   "\"route\", \"header:name\", or a combination, \"ip+route\". Where one of them is missing in a "
                   "request, the "
                   "address stands in."),
    BP_TEXT(S, api_key_header, .flags = BP_STAGE | BP_LOWER, .def = "x-api-key", .min = 1, .max = 100,
            .doc = "The header field that holds the api_key. Keys are kept as hashes only."),
    BP_U32(S, ipv6_prefix, .flags = BP_STAGE, .def = "64", .min = 1, .max = 128,
           .doc = "Bits of an IPv6 address that make one client: 64 is what one subscriber has at least."),
    BP_CHOICE(
        S, algorithm, .flags = BP_STAGE, .choices = algorithms, .def = "sliding_window",
        .doc = "sliding_window: the quota at once, then nothing until the window has passed. gcra: the burst at once, "
               "then one request back every window / quota."),
    BP_U32(
        S, clients, .flags = BP_STAGE, .def = "65536", .min = 16, .max = 16777216,
        .doc =
            "Clients remembered in memory at a time, about 40 bytes each. Twice as many as are expected in two windows "
            "is plenty; what no longer fits shares quotas."),
    BP_ARRAY(S, methods, bp_str, method_rows, .flags = BP_STAGE, .max = 16,
             .doc = "Only these methods are limited; left out, all."),
    BP_ARRAY(S, costs, struct cost_option, cost_rows, .flags = BP_STAGE, .max = 64,
             .doc = "Requests that count as more than one: groups of match and cost; the first that matches counts."),
    BP_ARRAY(S, exempt_networks, bp_str, network_rows, .flags = BP_STAGE, .max = 64,
             .doc = "Clients that are not limited: \"10.0.0.0/8\", \"::1\", \"unix\"."),
    BP_ARRAY(S, exempt_users, bp_uuid, user_rows, .flags = BP_STAGE, .max = 64,
             .doc = "Users that are not limited, by their identifiers."),
    BP_ARRAY(S, exempt_routes, bp_str, route_rows, .flags = BP_STAGE, .max = 64,
             .doc = "Requests that are not limited, as in costs: \"GET /api/v1/status\", \"/assets/*\"."),
    BP_CHOICE(
        S, store, .flags = BP_STAGE, .choices = stores, .def = "auto",
        .doc = "Where is counted. memory: what the workers of this server share. redis: the key_value service, for all "
               "replicas. auto: redis when there is that service."),
    BP_SPAN(S, store_timeout, .flags = BP_STAGE, .def = "250ms", .min = BP_MILLISECOND, .max = 10 * BP_SECOND,
            .doc = "How long the store may take to decide before on_store_failure does."),
    BP_CHOICE(S, on_store_failure, .flags = BP_STAGE, .choices = failures, .def = "local",
              .doc = "What decides while the store is away. local: memory, with the quota divided by replicas. open: "
                     "everything passes. closed: 503 with Retry-After."),
    BP_U32(S, replicas, .flags = BP_STAGE, .def = "1", .min = 1, .max = 10000,
           .doc = "How many servers share the quota while each counts for itself."),
    BP_END};
