/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <stdio.h>

#include "backplane/iface/key_value.h"
#include "key.h"
#include "scripts.h"

#define PAUSE (250 * BP_MILLISECOND) /* between two questions to a store that is away */

static const struct bp_kv_script scripts[] = {
    [ALGORITHM_SLIDING_WINDOW] = BP_KV_SCRIPT(.name = "rate_limit.sliding_window", .text = SCRIPT_SLIDING_WINDOW),
    [ALGORITHM_GCRA] = BP_KV_SCRIPT(.name = "rate_limit.gcra", .text = SCRIPT_GCRA),
};

void shared_limiter_prepare(struct shared_limiter *shared, const struct limiter *limiter, bp_str prefix,
                            bp_span timeout)
{
    shared->limiter = limiter;
    shared->prefix = prefix;
    shared->timeout = timeout;
    for (uint32_t i = 0; i < limiter->count; i++) {
        const struct limit *limit = &limiter->limits[i];
        (void)snprintf(shared->numbers[i][0], sizeof(shared->numbers[i][0]), "%u", (unsigned)limit->quota);
        (void)snprintf(shared->numbers[i][1], sizeof(shared->numbers[i][1]), "%lld",
                       (long long)((limit->window - 1) / BP_MICROSECOND + 1));
        (void)snprintf(shared->numbers[i][2], sizeof(shared->numbers[i][2]), "%u", (unsigned)limit->burst);
    }
}

/* [allowed, remaining, reset, retry, remaining, …] */
static bool read_reply(const struct bp_kv_reply *reply, uint32_t count, struct verdict *ret)
{
    if (reply->type != BP_KV_LIST || reply->len != 1 + 3 * (size_t)count)
        return false;
    for (size_t i = 0; i < reply->len; i++)
        if (reply->items[i].type != BP_KV_INTEGER)
            return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct bp_kv_reply *items = &reply->items[1 + 3 * i];
        ret[i] = (struct verdict){.allowed = reply->items[0].integer == 1 || items[2].integer == 0,
                                  .remaining = (uint32_t)items[0].integer,
                                  .reset_in = items[1].integer * BP_MICROSECOND,
                                  .retry_in = items[2].integer * BP_MICROSECOND};
    }
    return true;
}

static int ask(struct store *store, const struct shared_limiter *shared, bp_str client, uint32_t cost,
               struct bp_arena *arena, struct verdict *ret_verdicts)
{
    const struct limiter *limiter = shared->limiter;
    const struct bp_kv_wait wait = {.timeout = shared->timeout};
    struct bp_kv_reply reply;
    char digest[KEY_DIGITS], price[12];
    bp_str keys[LIMITS_MAX], arguments[1 + 3 * LIMITS_MAX];

    key_digest(client, digest);
    (void)snprintf(price, sizeof(price), "%u", (unsigned)cost);
    arguments[0] = bp_str_of(price);
    for (uint32_t i = 0; i < limiter->count; i++) {
        /* The braces put all of them into one slot of a cluster. */
        keys[i] = bp_arena_printf(arena, "%" BP_STR_FMT "{%.*s}:%u", BP_STR_ARG(shared->prefix), (int)sizeof(digest),
                                  digest, (unsigned)i);
        if (!keys[i].ptr)
            return BP_NOMEM;
        for (uint32_t n = 0; n < 3; n++)
            arguments[1 + 3 * i + n] = bp_str_of(shared->numbers[i][n]);
    }
    int r = bp_key_value(store->service)
                ->script(store->service.self, &wait, &scripts[limiter->algorithm], keys, limiter->count, arguments,
                         1 + 3 * (size_t)limiter->count, arena, &reply);
    if (r == 0 && !read_reply(&reply, limiter->count, ret_verdicts))
        r = BP_ERROR;
    return r;
}

/* One decision about nobody: a store that answers and cannot count is as good as away. */
static int try_again(void *argument)
{
    struct store *store = argument;
    const struct limiter limiter = {.limits = {{.quota = 1, .burst = 1, .window = BP_MILLISECOND}}, .count = 1};
    struct shared_limiter shared;
    struct verdict verdict;

    shared_limiter_prepare(&shared, &limiter, BP_STR("rate_limit:probe:"), 0);
    int r = ask(store, &shared, BP_STR("probe"), 1, bp_fiber_arena(), &verdict);
    store->asking = false;
    if (r != 0)
        return r == BP_CANCELED ? r : 0;
    store->away = false;
    store->timer = bp_timer_free(store->timer);
    bp_log(store->host, BP_LOG_INFO, "rate_limit.store_back", "The store of the limits decides again");
    return 0;
}

static void tick(void *argument)
{
    struct store *store = argument;
    if (!store->asking && store->away)
        store->asking = bp_spawn(store->host, "store", try_again, store, BP_FOREVER) == 0;
}

static void leave(struct store *store, const char *reason)
{
    if (store->away)
        return;
    store->timer = bp_timer_every(store->host, PAUSE, tick, store);
    store->away = store->timer != NULL; /* without memory for it the next request asks */
    bp_log(store->host, BP_LOG_WARN, "rate_limit.store_away",
           "The store of the limits is away: on_store_failure decides until it is back", bp_log_cstr("reason", reason));
}

int store_take(struct store *store, const struct shared_limiter *shared, bp_str client, uint32_t cost,
               struct bp_arena *arena, struct verdict *ret_verdicts)
{
    if (store->away)
        return STORE_AWAY;
    int r = ask(store, shared, client, cost, arena, ret_verdicts);
    switch (r) {
    case BP_BUSY:
        leave(store, "it is not connected");
        return STORE_AWAY;
    case BP_TIMEOUT:
        leave(store, "it did not answer in time");
        return STORE_LATE;
    case BP_ERROR:
        leave(store, "it refused the script");
        return STORE_FAILED;
    default:
        return r;
    }
}
