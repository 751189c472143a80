/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "backplane/iface/key_value.h"
#include "check.h"
#include "stage.h"

static const struct bp_need needs[] = {
    BP_NEED(BP_KEY_VALUE, BP_KEY_VALUE_VERSION, struct rate_limit, key_value, .optional = 1), BP_NEED_END};

static const struct bp_metric_row metrics[] = {
    BP_METRIC(
        struct rate_limit, decisions, .type = BP_COUNTER, .name = "backplane_ratelimit_decisions_total",
        .help =
            "Requests that a limit allowed, refused or does not apply to (exempt), and that passed (unlimited) or were "
            "answered with 503 (unavailable) because the store was away.",
        .labels = {"stage", "decision"}),
    BP_METRIC(struct rate_limit, crowded, .type = BP_COUNTER, .name = "backplane_ratelimit_crowded_total",
              .help = "Requests of clients that found the table full and were counted together with others.",
              .labels = {"stage"}),
    BP_METRIC(
        struct rate_limit, failures, .type = BP_COUNTER, .name = "backplane_ratelimit_store_failures_total",
        .help = "Requests that on_store_failure decided: the store was known to be away, answered too late, or failed.",
        .labels = {"stage", "reason"}),
    BP_METRIC_END};

static void stage_rules(const void *stage, struct bp_stage_rules *rules)
{
    const struct rate_limit_stage *options = stage;
    struct key key;
    if (key_parse(options->key, &key) && key_has(&key, KEY_USER)) {
        rules->phase = BP_PHASE_SHAPE;
        rules->needs_identity = 1;
    }
}

static void check_stage(struct bp_host *host, bp_str name, const void *stage, void *argument)
{
    struct rate_limit *self = argument;
    int r = stage_check(host, name, stage, self->key_value.vtable != NULL);
    if (r != 0)
        self->status = r;
}

static int init(struct bp_host *host, void *instance)
{
    struct rate_limit *self = instance;

    self->slot = bp_slot_new(host, sizeof(void *));
    if (self->slot < 0)
        return self->slot;
    bp_stages_each(host, check_stage, self);
    return self->status;
}

static void count_stage(struct bp_host *host, bp_str name, const void *stage, void *argument)
{
    (void)host;
    (void)name;
    (void)stage;
    ++*(size_t *)argument;
}

static void start_stage(struct bp_host *host, bp_str name, const void *stage, void *argument)
{
    struct rate_limit *self = argument;
    struct limited *limited = &self->stages[self->stage_count++];

    limited->name = name;
    limited->options = stage;
    int r = stage_prepare(host, limited, self->key_value.vtable != NULL);
    if (r != 0) {
        self->status = r;
        return;
    }
    const struct {
        struct bp_series **series;
        const char *decision;
    } counted[] = {{&limited->allowed, "allowed"},
                   {&limited->refused, "refused"},
                   {&limited->exempt, "exempt"},
                   {&limited->unlimited, "unlimited"},
                   {&limited->unavailable, "unavailable"}};
    static const char *const reasons[] = {[STORE_AWAY] = "away", [STORE_LATE] = "late", [STORE_FAILED] = "failed"};
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
        *counted[i].series = bp_series(self->decisions, (const bp_str[]){name, bp_str_of(counted[i].decision)});
    for (size_t i = STORE_AWAY; i <= STORE_FAILED; i++)
        limited->failures[i] = bp_series(self->failures, (const bp_str[]){name, bp_str_of(reasons[i])});
    limited->crowded = bp_series(self->crowded, &name);
}

static int start(struct bp_host *host, void *instance)
{
    struct rate_limit *self = instance;
    size_t count = 0;

    bp_stages_each(host, count_stage, &count);
    self->store = (struct store){.host = host, .service = self->key_value};
    self->stages = calloc(count + 1, sizeof(*self->stages));
    if (!self->stages)
        return BP_NOMEM;
    bp_stages_each(host, start_stage, self);
    return self->status;
}

static void deinit(struct bp_host *host, void *instance)
{
    struct rate_limit *self = instance;
    (void)host;
    for (size_t i = 0; i < self->stage_count; i++)
        stage_release(&self->stages[i]);
    free(self->stages);
}

static const struct bp_field headers[] = {
    BP_HEADER_FIELD("X-RateLimit-Limit", BP_TYPE_U32, .doc = "Requests per window, of the tightest limit."),
    BP_HEADER_FIELD("X-RateLimit-Remaining", BP_TYPE_U32, .doc = "Requests that are left of it."),
    BP_HEADER_FIELD("X-RateLimit-Reset", BP_TYPE_I64, .doc = "When there are more, in Unix milliseconds."),
    BP_HEADER_FIELD("RateLimit-Policy", BP_TYPE_TEXT, .doc = "All limits (IETF draft).",
                    .example = "\"per_user\";q=30;w=60"),
    BP_HEADER_FIELD("RateLimit", BP_TYPE_TEXT, .doc = "What is left of each.", .example = "\"per_user\";r=29;t=60"),
    BP_END};
static const struct bp_field retry_after[] = {BP_HEADER_FIELD("Retry-After", BP_TYPE_U32, .doc = "Seconds to wait."),
                                              BP_END};

static const struct bp_answer answers[] = {
    BP_ANSWER(.headers = headers),
    BP_ANSWER(.status = 429, .code = "rate_limit.exceeded",
              .message = "Too many requests. Limit: 30 requests per 60000ms. Please try again later.",
              .doc = "Too many requests.", .headers = retry_after),
    BP_ANSWER(.status = 503, .code = "rate_limit.unavailable", .message = "Service unavailable",
              .headers = retry_after),
    BP_ANSWER_END};

BP_PLUGIN(.name = "rate_limit", .version = "1.0.0",
          .doc = "Limits how many requests a client may make, over all workers and, with Redis, over all replicas.",
          .self_size = sizeof(struct rate_limit), .stage_size = sizeof(struct rate_limit_stage),
          .options = rate_limit_options, .needs = needs, .metrics = metrics, .phase = BP_PHASE_PROTECT, .init = init,
          .start = start, .deinit = deinit, .middleware = rate_limit_check, .answers = answers,
          .stage_rules = stage_rules);
