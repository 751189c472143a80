/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

static const char *const keys[] = {[KEY_IP] = "ip", [KEY_USER] = "user", NULL};
static const char *const algorithms[] = {
    [ALGORITHM_SLIDING_WINDOW] = "sliding_window", [ALGORITHM_GCRA] = "gcra", NULL};

static const struct bp_field options[] = {
    BP_U32(struct rate_limit_stage, quota, .flags = BP_STAGE, .def = "30", .min = 1, .max = 1000000000,
           .doc = "Requests that a client may make per window."),
    BP_SPAN(struct rate_limit_stage, window, .flags = BP_STAGE, .def = "60s", .min = BP_MILLISECOND,
            .max = 366 * BP_DAY, .doc = "Length of the window."),
    BP_CHOICE(
        struct rate_limit_stage, key, .flags = BP_STAGE, .choices = keys, .def = "ip",
        .doc = "Who is counted: ip (an IPv4 address, or an IPv6 /64 network), or user (whom a stage before it, such as "
               "auth, identified)."),
    BP_CHOICE(struct rate_limit_stage, algorithm, .flags = BP_STAGE, .choices = algorithms, .def = "sliding_window",
              .doc = "sliding_window: the quota at once, then nothing until the window has passed. gcra: the quota at "
                     "once, then "
                     "one request back every window / quota."),
    BP_U32(struct rate_limit_stage, clients, .flags = BP_STAGE, .def = "65536", .min = 16, .max = 16777216,
           .doc = "Clients remembered at a time, about 40 bytes each. Twice as many as are expected in two windows is "
                  "plenty; "
                  "what no longer fits shares quotas."),
    BP_END};

static const struct bp_metric_def decisions = {.size = sizeof(decisions),
                                               .type = BP_COUNTER,
                                               .name = "backplane_ratelimit_decisions_total",
                                               .help = "Requests that a limit allowed or refused.",
                                               .labels = {"stage", "decision"}};
static const struct bp_metric_def crowded = {
    .size = sizeof(crowded),
    .type = BP_COUNTER,
    .name = "backplane_ratelimit_crowded_total",
    .help = "Requests of clients that found the table full and were counted together with others.",
    .labels = {"stage"}};

static void stage_rules(const void *stage, struct bp_stage_rules *rules)
{
    const struct rate_limit_stage *options_of = stage;
    if (options_of->key == KEY_USER) {
        rules->phase = BP_PHASE_SHAPE;
        rules->needs_identity = 1;
    }
}

static void check_stage(struct bp_host *host, bp_str name, const void *stage, void *argument)
{
    const struct rate_limit_stage *wanted = stage;
    struct rate_limit *self = argument;

    if (wanted->algorithm == ALGORITHM_GCRA && wanted->window < (bp_span)wanted->quota)
        self->status = bp_config_error(host, "quota", "%" BP_STR_FMT ": gcra allows a request per nanosecond at most",
                                       BP_STR_ARG(name));
}

static int init(struct bp_host *host, void *instance)
{
    struct rate_limit *self = instance;

    self->decisions = bp_metric_new(host, &decisions);
    self->crowded = bp_metric_new(host, &crowded);
    if (!self->decisions || !self->crowded)
        return BP_INVALID;
    bp_stages_each(host, check_stage, self);
    return self->status;
}

static void start_stage(struct bp_host *host, bp_str name, const void *stage, void *argument)
{
    const struct rate_limit_stage *wanted = stage;
    struct rate_limit *self = argument;
    char region[160];

    struct limited *more = realloc(self->stages, (self->stage_count + 1) * sizeof(*more));
    if (!more) {
        self->status = BP_NOMEM;
        return;
    }
    self->stages = more;
    struct limited *limited = &more[self->stage_count];
    memset(limited, 0, sizeof(*limited));
    limited->stage = name;
    limited->limiter.limit = (struct limit){.quota = wanted->quota, .window = wanted->window};
    limited->limiter.algorithm = (enum algorithm)wanted->algorithm;
    /* Another algorithm would misread the cells: it gets a table of its own. */
    int len =
        snprintf(region, sizeof(region), "rate_limit:%s:%" BP_STR_FMT, algorithms[wanted->algorithm], BP_STR_ARG(name));
    if (len > 0 && (size_t)len < sizeof(region))
        limited->limiter.table = bp_shared(host, region, TABLE_LAYOUT, table_size(wanted->clients));
    if (!limited->limiter.table) {
        self->status = bp_start_error(
            host, "no shared memory for the %u clients of the stage %" BP_STR_FMT " (server.shared_memory)",
            wanted->clients, BP_STR_ARG(name));
        return;
    }
    table_prepare(limited->limiter.table, wanted->clients);
    limiter_message(&limited->limiter.limit, limited->message);
    limited->allowed = bp_series(self->decisions, (const bp_str[]){name, BP_STR("allowed")});
    limited->refused = bp_series(self->decisions, (const bp_str[]){name, BP_STR("refused")});
    limited->crowded = bp_series(self->crowded, &name);
    self->stage_count++;
}

static int start(struct bp_host *host, void *instance)
{
    struct rate_limit *self = instance;

    bp_stages_each(host, start_stage, self);
    return self->status;
}

static void deinit(struct bp_host *host, void *instance)
{
    struct rate_limit *self = instance;
    (void)host;
    free(self->stages);
}

BP_PLUGIN(.name = "rate_limit", .version = "1.0.0",
          .doc = "Limits how many requests a client may make, by address or by user, over all workers.",
          .self_size = sizeof(struct rate_limit), .stage_size = sizeof(struct rate_limit_stage), .options = options,
          .phase = BP_PHASE_PROTECT, .init = init, .start = start, .deinit = deinit, .middleware = rate_limit_check,
          .stage_rules = stage_rules);
