/* SPDX-License-Identifier: MIT */
/* The middleware: counts the request, says how much is left, and refuses what is too much. */
#include "check.h"

static const struct limited *stage_of(const struct rate_limit *self, const void *stage)
{
    for (size_t i = 0; i < self->stage_count; i++)
        if (self->stages[i].options == stage)
            return &self->stages[i];
    return NULL;
}

/* ---- whether ---- */

static bool is_exempt(const struct limited *limited, struct bp_request *rq)
{
    const struct rate_limit_stage *options = limited->options;
    const struct bp_identity *identity = options->exempt_users.len > 0 ? bp_identity(rq) : NULL;
    const bp_str *methods = options->methods.ptr;
    bool counted = options->methods.len == 0;

    for (size_t i = 0; i < options->methods.len && !counted; i++)
        counted = bp_str_eq(methods[i], bp_request_method_name(rq));
    if (!counted)
        return true;
    for (size_t i = 0; identity && i < options->exempt_users.len; i++)
        if (bp_uuid_eq(&((const bp_uuid *)options->exempt_users.ptr)[i], &identity->user_id))
            return true;
    for (size_t i = 0; i < options->exempt_routes.len; i++)
        if (match_fits(&limited->routes[i], bp_request_method_name(rq), bp_request_path(rq), bp_request_route(rq)))
            return true;
    return options->exempt_networks.len > 0 &&
           bp_networks_hold(limited->networks, options->exempt_networks.len, bp_request_client_bytes(rq));
}

static uint32_t cost_of(const struct limited *limited, const struct bp_request *rq)
{
    for (size_t i = 0; i < limited->options->costs.len; i++)
        if (match_fits(&limited->costs[i].match, bp_request_method_name(rq), bp_request_path(rq), bp_request_route(rq)))
            return limited->costs[i].cost;
    return 1;
}

/* ---- who ---- */

static bool add_header(struct key_name *name, enum key_part part, struct bp_request *rq, bp_str header)
{
    bp_str value = bp_request_header(rq, header);
    if (value.len > 0)
        key_add_text(name, part, value);
    return value.len > 0;
}

static bool add_part(struct key_name *name, const struct limited *limited, uint32_t index, struct bp_request *rq)
{
    const struct bp_identity *identity;
    switch (limited->key.parts[index].part) {
    case KEY_USER:
        identity = bp_identity(rq);
        if (identity)
            key_add_bytes(name, KEY_USER, identity->user_id.bytes, sizeof(identity->user_id.bytes));
        return identity != NULL;
    case KEY_API_KEY:
        return add_header(name, KEY_API_KEY, rq, limited->options->api_key_header);
    case KEY_HEADER:
        return add_header(name, KEY_HEADER, rq, limited->key.parts[index].header);
    case KEY_ROUTE:
        key_add_text(name, KEY_ROUTE, bp_request_route(rq));
        return true;
    case KEY_IP:
        break;
    }
    return false;
}

/* The address, once, for whatever else is not there: otherwise who leaves it out would be somebody without a limit, or everybody. */
static void name_client(struct key_name *name, const struct limited *limited, struct bp_request *rq)
{
    bool with_address = false;
    name->len = 0;
    for (uint32_t i = 0; i < limited->key.count; i++)
        with_address |= !add_part(name, limited, i, rq);
    if (with_address)
        key_add_address(name, bp_request_client_bytes(rq), limited->options->ipv6_prefix);
}

/* ---- how much ---- */

static int refuse_all(struct bp_request *rq)
{
    int r = bp_header_set(rq, BP_STR("Retry-After"), BP_STR("1"));
    return r != 0 ? r : bp_fail(rq, 503, "rate_limit.unavailable", "Service unavailable");
}

static void take_here(const struct limited *limited, const struct limiter *limiter, const struct key_name *name,
                      uint32_t cost, bp_time now, struct verdict *verdicts)
{
    bool crowded;
    limiter_take(limiter, bp_str_n(name->bytes, name->len), cost, now, verdicts, &crowded);
    if (crowded)
        bp_metric_add(limited->crowded, 1);
}

static int refuse(struct bp_request *rq, const struct limited *limited, const struct verdict *verdicts,
                  uint32_t refused)
{
    char digits[20];
    bp_str seconds = bp_str_u64((uint64_t)limiter_seconds(verdicts[refused].retry_in), digits);
    int r = bp_header_set(rq, BP_STR("Retry-After"), seconds);
    return r != 0 ? bp_trace(r) : bp_fail(rq, 429, "rate_limit.exceeded", limited->messages[refused]);
}

/* The one that makes the client wait longest, or the count when all allow it. */
static uint32_t refused_by(const struct verdict *verdicts, uint32_t count)
{
    uint32_t found = count;
    for (uint32_t i = 0; i < count; i++)
        if (!verdicts[i].allowed && (found == count || verdicts[i].retry_in > verdicts[found].retry_in))
            found = i;
    return found;
}

int rate_limit_check(struct bp_request *rq, void *self, const void *stage)
{
    struct rate_limit *limits = self;
    const struct limited *limited = stage_of(limits, stage);
    struct verdict verdicts[LIMITS_MAX];
    struct key_name name;
    int r;

    if (!limited)
        return bp_trace(BP_MISUSE);
    if (bp_request_method(rq) == 0) /* malformed: it ends with its 400 and its connection either way */
        return bp_next(rq);
    uint32_t cost = is_exempt(limited, rq) ? 0 : cost_of(limited, rq);
    if (cost == 0) {
        bp_metric_add(limited->exempt, 1);
        return bp_next(rq);
    }
    name_client(&name, limited, rq);
    if (!limited->uses_store) {
        take_here(limited, &limited->limiter, &name, cost, bp_now(rq), verdicts);
    } else {
        r = store_take(&limits->store, &limited->shared, bp_str_n(name.bytes, name.len), cost, bp_arena(rq), verdicts);
        if (r < 0)
            return bp_trace(r);
        if (r > 0)
            bp_metric_add(limited->failures[r], 1);
        if (r > 0 && limited->options->on_store_failure == FAILURE_OPEN) {
            bp_metric_add(limited->unlimited, 1);
            return bp_next(rq);
        }
        if (r > 0 && limited->options->on_store_failure == FAILURE_CLOSED) {
            bp_metric_add(limited->unavailable, 1);
            return refuse_all(rq);
        }
        if (r > 0)
            take_here(limited, &limited->spare, &name, cost, bp_now(rq), verdicts);
    }
    uint32_t refused = refused_by(verdicts, limited->limiter.count);
    bool allowed = refused == limited->limiter.count;
    bp_metric_add(allowed ? limited->allowed : limited->refused, 1);
    r = report_add(rq, limits->slot, limited, verdicts, refused);
    if (r != 0)
        return bp_trace(r);
    return allowed ? bp_next(rq) : refuse(rq, limited, verdicts, refused);
}
