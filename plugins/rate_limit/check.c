/* SPDX-License-Identifier: MIT */
/* The middleware: counts the request, says how much is left, and refuses what is too much. */
#include "check.h"

static const struct limited *stage_of(const struct rate_limit *self, bp_str name)
{
    for (size_t i = 0; i < self->stage_count; i++)
        if (bp_str_eq(self->stages[i].stage, name))
            return &self->stages[i];
    return NULL;
}

/* Who is counted. Without an identity (a pipeline where signing in is optional) the address is. */
static bp_str client_of(const struct bp_request *rq, uint32_t key, char *space)
{
    const struct bp_identity *identity = key == KEY_USER ? bp_identity(rq) : NULL;

    if (!identity)
        return limiter_address_key(bp_request_client_bytes(rq), space);
    space[0] = 'u';
    memcpy(space + 1, identity->user_id.bytes, sizeof(identity->user_id.bytes));
    return bp_str_n(space, 1 + sizeof(identity->user_id.bytes));
}

/* Six times a request where two limits apply: printf would be most of what a limit costs. */
static int set_number(struct bp_request *rq, bp_str name, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    return bp_header_set(rq, name, bp_str_n(digits + at, sizeof(digits) - at));
}

/* Whether an outer limit that has passed already leaves less than this one. */
static bool is_looser(const struct bp_request *rq, uint32_t remaining, int64_t reset)
{
    uint64_t other, other_reset;

    if (!bp_str_to_u64(bp_reply_header(rq, BP_STR("X-RateLimit-Remaining")), &other))
        return false;
    if (other != remaining)
        return other < remaining;
    return bp_str_to_u64(bp_reply_header(rq, BP_STR("X-RateLimit-Reset")), &other_reset) &&
           other_reset > (uint64_t)reset;
}

static int set_headers(struct bp_request *rq, const struct limit *limit, const struct verdict *verdict)
{
    int64_t reset = bp_date_now() + limiter_milliseconds(verdict->reset_in);
    int r;

    if (verdict->allowed && is_looser(rq, verdict->remaining, reset))
        return 0;
    r = set_number(rq, BP_STR("X-RateLimit-Limit"), limit->quota);
    if (r == 0)
        r = set_number(rq, BP_STR("X-RateLimit-Remaining"), verdict->remaining);
    if (r == 0)
        r = set_number(rq, BP_STR("X-RateLimit-Reset"), (uint64_t)reset);
    return r;
}

int rate_limit_check(struct bp_request *rq, void *self, const void *stage)
{
    const struct rate_limit_stage *options = stage;
    const struct limited *limited = stage_of(self, bp_stage_name(rq));
    struct verdict verdict;
    char space[LIMITER_KEY];
    bool crowded;
    int r;

    if (!limited)
        return bp_trace(BP_MISUSE);
    if (bp_request_method(rq) == 0) /* malformed: it ends with its 400 and its connection either way */
        return bp_next(rq);
    limiter_take(&limited->limiter, client_of(rq, options->key, space), bp_now(rq), &verdict, &crowded);
    bp_metric_add(verdict.allowed ? limited->allowed : limited->refused, 1);
    if (crowded)
        bp_metric_add(limited->crowded, 1);
    /* Before the rest runs: a stream's head leaves with its first byte. */
    r = set_headers(rq, &limited->limiter.limit, &verdict);
    if (r != 0)
        return bp_trace(r);
    if (verdict.allowed)
        return bp_next(rq);
    r = set_number(rq, BP_STR("Retry-After"), (uint64_t)limiter_seconds(verdict.retry_in));
    if (r != 0)
        return bp_trace(r);
    return bp_fail(rq, 429, "rate_limit.exceeded", limited->message);
}
