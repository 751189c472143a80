/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t limit_count(const struct rate_limit_stage *options)
{
    return options->limits.len > 0 ? (uint32_t)options->limits.len : 1;
}

static struct limit limit_at(const struct rate_limit_stage *options, uint32_t index)
{
    const struct limit_option own = {options->quota, options->burst, options->window};
    const struct limit_option *option =
        options->limits.len > 0 ? &((const struct limit_option *)options->limits.ptr)[index] : &own;
    return (struct limit){
        .quota = option->quota, .burst = option->burst > 0 ? option->burst : option->quota, .window = option->window};
}

static bool has_burst(const struct rate_limit_stage *options, uint32_t index)
{
    if (options->limits.len == 0)
        return options->burst > 0;
    return ((const struct limit_option *)options->limits.ptr)[index].burst > 0;
}

static uint32_t highest_cost(const struct rate_limit_stage *options)
{
    const struct cost_option *costs = options->costs.ptr;
    uint32_t highest = 1;
    for (size_t i = 0; i < options->costs.len; i++)
        if (costs[i].cost > highest)
            highest = costs[i].cost;
    return highest;
}

int stage_check(struct bp_host *host, bp_str name, const struct rate_limit_stage *options, bool has_store)
{
    const char *row = options->limits.len > 0 ? "limits" : "quota";
    int status = 0;

    for (uint32_t i = 0; i < limit_count(options); i++) {
        struct limit limit = limit_at(options, i);
        bool gcra = options->algorithm == ALGORITHM_GCRA;
        if (gcra && limit.window < (bp_span)limit.quota)
            status = bp_config_error(host, row, "%" BP_STR_FMT ": gcra allows a request per nanosecond at most",
                                     BP_STR_ARG(name));
        else if (gcra && limit.window / (bp_span)limit.quota > GCRA_LONGEST / (bp_span)limit.burst)
            status = bp_config_error(host, options->limits.len > 0 ? "limits" : "burst",
                                     "%" BP_STR_FMT ": the burst would take longer than 10000d to come back",
                                     BP_STR_ARG(name));
        if (!gcra && has_burst(options, i))
            status = bp_config_error(host, options->limits.len > 0 ? "limits" : "burst",
                                     "%" BP_STR_FMT ": a burst needs algorithm = \"gcra\"", BP_STR_ARG(name));
        uint32_t most = gcra ? limit.burst : limit.quota;
        if (highest_cost(options) > most)
            status = bp_config_error(
                host, "costs", "%" BP_STR_FMT ": a request that costs %u would never pass: %u is the most at once",
                BP_STR_ARG(name), (unsigned)highest_cost(options), (unsigned)most);
    }
    if (options->store == STORE_REDIS && !has_store)
        status = bp_config_error(host, "store",
                                 "%" BP_STR_FMT ": \"redis\" needs a service \"key_value\", which no instance provides",
                                 BP_STR_ARG(name));
    return status;
}

/* For one replica, and never less than what the dearest request costs. */
static uint32_t part(uint32_t number, uint32_t replicas, uint32_t least)
{
    return number / replicas > least ? number / replicas : least;
}

static void prepare_limits(struct limited *limited)
{
    const struct rate_limit_stage *options = limited->options;
    uint32_t least = highest_cost(options);

    limited->limiter.algorithm = (enum algorithm)options->algorithm;
    limited->limiter.count = limit_count(options);
    for (uint32_t i = 0; i < limited->limiter.count; i++)
        limited->limiter.limits[i] = limit_at(options, i);
    limited->spare = limited->limiter;
    for (uint32_t i = 0; i < limited->spare.count; i++) {
        struct limit *limit = &limited->spare.limits[i];
        limit->quota = part(limit->quota, options->replicas, least);
        limit->burst = part(limit->burst, options->replicas, least);
    }
}

static bp_str printed(bool *failed, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bp_str printed(bool *failed, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0) {
        *failed = true;
        return BP_STR("");
    }
    return bp_str_n(text, (size_t)len);
}

static bool prepare_texts(struct limited *limited, const char *algorithm)
{
    bool failed = false;

    for (uint32_t i = 0; i < limited->limiter.count; i++) {
        const struct limit *limit = &limited->limiter.limits[i];
        char number[16] = "";
        if (i > 0)
            (void)snprintf(number, sizeof(number), ".%u", (unsigned)i + 1);
        limiter_message(limit, limited->messages[i]);
        limited->names[i] = printed(&failed, "\"%" BP_STR_FMT "%s\"", BP_STR_ARG(limited->name), number);
        limited->policies[i] = printed(&failed, "\"%" BP_STR_FMT "%s\";q=%u;w=%lld", BP_STR_ARG(limited->name), number,
                                       (unsigned)limit->quota, (long long)limiter_seconds(limit->window));
    }
    bp_str prefix = printed(&failed, "rate_limit:%s:%" BP_STR_FMT ":", algorithm, BP_STR_ARG(limited->name));
    shared_limiter_prepare(&limited->shared, &limited->limiter, prefix, limited->options->store_timeout);
    return !failed;
}

/* The checks of the rows have parsed all of it before. */
static bool prepare_lists(struct limited *limited)
{
    const struct rate_limit_stage *options = limited->options;
    const struct cost_option *costs = options->costs.ptr;

    limited->networks = calloc(options->exempt_networks.len + 1, sizeof(*limited->networks));
    limited->routes = calloc(options->exempt_routes.len + 1, sizeof(*limited->routes));
    limited->costs = calloc(options->costs.len + 1, sizeof(*limited->costs));
    if (!limited->networks || !limited->routes || !limited->costs)
        return false;
    for (size_t i = 0; i < options->exempt_networks.len; i++)
        (void)bp_network_parse(((const bp_str *)options->exempt_networks.ptr)[i], &limited->networks[i]);
    for (size_t i = 0; i < options->exempt_routes.len; i++)
        (void)match_parse(((const bp_str *)options->exempt_routes.ptr)[i], &limited->routes[i]);
    for (size_t i = 0; i < options->costs.len; i++) {
        (void)match_parse(costs[i].match, &limited->costs[i].match);
        limited->costs[i].cost = costs[i].cost;
    }
    return true;
}

static int prepare_table(struct bp_host *host, struct limited *limited, const char *algorithm)
{
    uint32_t clients = limited->options->clients, cells = clients * limited->limiter.count;
    char region[160];
    void *table = NULL;

    /* Another algorithm would misread the cells: it gets a table of its own. */
    int len = snprintf(region, sizeof(region), "rate_limit:%s:%" BP_STR_FMT, algorithm, BP_STR_ARG(limited->name));
    if (len > 0 && (size_t)len < sizeof(region))
        table = bp_shared(host, region, TABLE_LAYOUT, table_size(cells));
    if (!table)
        return bp_start_error(host,
                              "no shared memory for the %u clients of the stage %" BP_STR_FMT " (server.shared_memory)",
                              clients, BP_STR_ARG(limited->name));
    table_prepare(table, cells);
    limited->limiter.table = limited->spare.table = table;
    return 0;
}

int stage_prepare(struct bp_host *host, struct limited *limited, bool has_store)
{
    static const char *const algorithms[] = {[ALGORITHM_SLIDING_WINDOW] = "sliding_window", [ALGORITHM_GCRA] = "gcra"};
    const struct rate_limit_stage *options = limited->options;
    const char *algorithm = algorithms[options->algorithm];

    limited->uses_store = has_store && options->store != STORE_MEMORY;
    (void)key_parse(options->key, &limited->key);
    prepare_limits(limited);
    if (!prepare_texts(limited, algorithm) || !prepare_lists(limited))
        return BP_NOMEM;
    if (limited->uses_store && options->on_store_failure != FAILURE_LOCAL)
        return 0;
    return prepare_table(host, limited, algorithm);
}

/* Of printed(): a literal stands for one that failed. */
static void release_text(bp_str text)
{
    if (text.len > 0)
        free((void *)(uintptr_t)text.ptr);
}

void stage_release(struct limited *limited)
{
    for (uint32_t i = 0; i < limited->limiter.count; i++) {
        release_text(limited->names[i]);
        release_text(limited->policies[i]);
    }
    release_text(limited->shared.prefix);
    free(limited->networks);
    free(limited->routes);
    free(limited->costs);
}
