/* SPDX-License-Identifier: MIT */
/*
 * The scripts in a real Redis beside the same algorithms in C, request by request, at times of our own: redis.call is wrapped so that TIME gives the last two
 * arguments.
 */
#include <criterion/criterion.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "gcra.h"
#include "scripts.h"
#include "sliding_window.h"

#define FAKE_TIME                                                          \
    "local real = redis\n"                                                 \
    "local redis = {call = function(name, ...)\n"                          \
    "  if name == 'TIME' then return {ARGV[#ARGV - 1], ARGV[#ARGV]} end\n" \
    "  return real.call(name, ...)\n"                                      \
    "end}\n"
#define START ((bp_time)1795377302 * BP_SECOND)

static redisContext *redis;

static void open_redis(void)
{
    const char *url = getenv("TEST_REDIS_URL");
    int port = 0;
    cr_assert(url && sscanf(url, "redis://127.0.0.1:%d", &port) == 1, "%s", url ? url : "no TEST_REDIS_URL");
    redis = redisConnect("127.0.0.1", port);
    cr_assert(redis && !redis->err);
}

static void close_redis(void)
{
    redisFree(redis);
}

TestSuite(scripts, .init = open_redis, .fini = close_redis);

/* One limit, one key. now NULL: Redis's own time. */
static struct verdict ask(const char *script, const char *key, const struct limit *limit, uint32_t cost,
                          const bp_time *now)
{
    struct verdict verdict;
    redisReply *reply = now ? redisCommand(redis, "EVAL %s 1 %s %u %u %lld %u %lld %lld", script, key, cost,
                                           limit->quota, (long long)(limit->window / 1000), limit->burst,
                                           (long long)(*now / BP_SECOND), (long long)(*now % BP_SECOND / 1000))
                            : redisCommand(redis, "EVAL %s 1 %s %u %u %lld %u", script, key, cost, limit->quota,
                                           (long long)(limit->window / 1000), limit->burst);
    cr_assert(reply);
    cr_assert_eq(reply->type, REDIS_REPLY_ARRAY, "%s", reply->str);
    cr_assert_eq(reply->elements, 4);
    verdict = (struct verdict){.allowed = reply->element[0]->integer == 1,
                               .remaining = (uint32_t)reply->element[1]->integer,
                               .reset_in = reply->element[2]->integer * 1000,
                               .retry_in = reply->element[3]->integer * 1000};
    freeReplyObject(reply);
    return verdict;
}

static bp_span whole(bp_span span)
{
    return (span + 999) / 1000 * 1000;
}

static uint32_t random_of(uint32_t *seed, uint32_t count)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % count;
}

Test(scripts, sliding_window_as_in_memory)
{
    static const struct limit limits[] = {{30, 30, BP_MINUTE},    {1, 1, BP_HOUR},
                                          {7, 7, BP_HOUR + 1000}, {1000, 1000, BP_HOUR},
                                          {10, 10, 90 * BP_DAY},  {1000000000, 1000000000, BP_HOUR}};
    uint32_t seed = 7;
    for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
        struct sliding_window state = {0};
        bp_time now = START;
        char key[32];
        (void)snprintf(key, sizeof(key), "window:%zu", l);
        for (unsigned i = 0; i < 400; i++) {
            uint32_t cost = 1 + random_of(&seed, limits[l].quota < 5 ? limits[l].quota : 5);
            struct verdict here, there = ask(FAKE_TIME SCRIPT_SLIDING_WINDOW, key, &limits[l], cost, &now);
            sliding_window_take(&state, &limits[l], cost, now, &here);
            cr_assert_eq(there.allowed, here.allowed, "limit %zu, request %u", l, i);
            cr_assert_eq(there.remaining, here.remaining, "limit %zu, request %u: %u %u", l, i, there.remaining,
                         here.remaining);
            cr_assert_eq(there.reset_in, whole(here.reset_in), "limit %zu, request %u", l, i);
            cr_assert_eq(there.retry_in, whole(here.retry_in), "limit %zu, request %u: %lld %lld", l, i,
                         (long long)there.retry_in, (long long)here.retry_in);
            /* Mostly a little later; sometimes after windows of silence, or exactly when it was told to come back. */
            uint32_t how = random_of(&seed, 40);
            if (how == 0)
                now += (1 + random_of(&seed, 3)) * limits[l].window;
            else if (how < 6 && here.retry_in > 0)
                now += whole(here.retry_in);
            else
                now += whole(limits[l].window / 100 * random_of(&seed, 5));
        }
    }
}

Test(scripts, gcra_as_in_memory)
{
    static const struct limit limits[] = {
        {30, 30, BP_MINUTE}, {60, 5, BP_MINUTE}, {1, 1, BP_HOUR}, {1000, 2000, 1000 * BP_SECOND}};
    uint32_t seed = 11;
    for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
        struct gcra state = {0};
        bp_time now = START;
        char key[32];
        (void)snprintf(key, sizeof(key), "gcra:%zu", l);
        for (unsigned i = 0; i < 400; i++) {
            uint32_t cost = 1 + random_of(&seed, limits[l].burst < 5 ? limits[l].burst : 5);
            struct verdict here, there = ask(FAKE_TIME SCRIPT_GCRA, key, &limits[l], cost, &now);
            gcra_take(&state, &limits[l], cost, now, &here);
            cr_assert_eq(there.allowed, here.allowed, "limit %zu, request %u", l, i);
            cr_assert_eq(there.remaining, here.remaining, "limit %zu, request %u", l, i);
            cr_assert_eq(there.reset_in, whole(here.reset_in), "limit %zu, request %u: %lld %lld", l, i,
                         (long long)there.reset_in, (long long)here.reset_in);
            cr_assert_eq(there.retry_in, whole(here.retry_in), "limit %zu, request %u: %lld %lld", l, i,
                         (long long)there.retry_in, (long long)here.retry_in);
            if (random_of(&seed, 8) == 0 && here.retry_in > 0)
                now += whole(here.retry_in);
            else
                now += whole(limits[l].window / limits[l].quota * random_of(&seed, 4) / 2);
        }
    }
}

Test(scripts, a_burst_is_exact_whatever_the_division_leaves)
{
    static const struct limit limits[] = {
        {7, 7, BP_MINUTE}, {999, 999, BP_HOUR}, {13, 4, BP_MINUTE}, {100003, 300, 3 * BP_DAY}};
    for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
        bp_time now = START;
        unsigned allowed = 0;
        char key[32];
        (void)snprintf(key, sizeof(key), "exact:%zu", l);
        for (uint32_t i = 0; i < limits[l].burst + 5; i++)
            allowed += ask(FAKE_TIME SCRIPT_GCRA, key, &limits[l], 1, &now).allowed;
        cr_assert_eq(allowed, limits[l].burst, "limit %zu: %u", l, allowed);
    }
}

Test(scripts, several_limits_count_together_or_not_at_all)
{
    static const char *const texts[] = {SCRIPT_SLIDING_WINDOW, SCRIPT_GCRA};
    for (size_t t = 0; t < 2; t++) {
        redisReply *reply = NULL;
        for (unsigned i = 0; i < 10; i++) {
            if (reply)
                freeReplyObject(reply);
            reply = redisCommand(redis, "EVAL %s 2 both:%u:a both:%u:b 1 2 3600000000 2 5 7200000000 5", texts[t],
                                 (unsigned)t, (unsigned)t);
            cr_assert(reply);
            cr_assert_eq(reply->type, REDIS_REPLY_ARRAY, "%s", reply->str);
            cr_assert_eq(reply->elements, 7);
            cr_assert_eq(reply->element[0]->integer, i < 2, "request %u", i);
        }
        cr_assert_eq(reply->element[1]->integer, 0);
        cr_assert_gt(reply->element[3]->integer, 0);
        cr_assert_eq(reply->element[4]->integer, 3, "eight refusals cost the other nothing");
        cr_assert_eq(reply->element[6]->integer, 0, "alone it would allow it");
        freeReplyObject(reply);
    }
}

/* A clock that jumps (another server took over), and what is no state of ours. */
Test(scripts, strange_states)
{
    static const char *const texts[] = {FAKE_TIME SCRIPT_SLIDING_WINDOW, FAKE_TIME SCRIPT_GCRA};
    static const struct limit limit = {.quota = 3, .burst = 3, .window = BP_MINUTE};
    static const char *const values[] = {
        "", "x", "1 2", "1 2 3 4", "-1 2 3", "99999999999999999999 1 1", "1795377302000000 nan"};
    for (size_t t = 0; t < 2; t++) {
        bp_time now = START, before = START - BP_SECOND, year_before = START - 365 * BP_DAY;
        for (unsigned i = 0; i < 3; i++)
            cr_assert(ask(texts[t], t ? "jump:b" : "jump:a", &limit, 1, &now).allowed);
        cr_assert_not(ask(texts[t], t ? "jump:b" : "jump:a", &limit, 1, &before).allowed);
        cr_assert(ask(texts[t], t ? "jump:b" : "jump:a", &limit, 1, &year_before).allowed, "nobody waits for a year");
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            redisReply *reply = redisCommand(redis, "SET odd %s", values[v]);
            freeReplyObject(reply);
            cr_assert(ask(texts[t], "odd", &limit, 1, &now).allowed, "%s", values[v]);
        }
    }
}

/* With Redis's own clock: the key goes away when it says nothing any more. */
Test(scripts, keys_expire)
{
    static const struct limit limit = {.quota = 3, .burst = 3, .window = BP_MINUTE};
    static const struct {
        const char *text, *key;
        long long most;
    } cases[] = {{SCRIPT_SLIDING_WINDOW, "expire:a", 120000}, {SCRIPT_GCRA, "expire:b", 20001}};
    for (size_t i = 0; i < 2; i++) {
        struct verdict verdict = ask(cases[i].text, cases[i].key, &limit, 1, NULL);
        cr_assert(verdict.allowed);
        cr_assert_eq(verdict.remaining, 2);
        redisReply *reply = redisCommand(redis, "PTTL %s", cases[i].key);
        cr_assert_leq(reply->integer, cases[i].most);
        cr_assert_geq(reply->integer, cases[i].most - 5000);
        freeReplyObject(reply);
    }
}
