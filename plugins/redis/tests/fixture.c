/* SPDX-License-Identifier: MIT */
#include "fixture.h"

struct fixture fixture;

void fixture_new(const char *url)
{
    fixture_open("redis", "main", 1);
    fixture.redis = fixture_host.self;
    fixture.host = &fixture_host;
    fixture.kv = &redis_vtable;
    fixture.redis->url = bp_arena_copy(fixture_assembly.arena, bp_str_of(url));
}

void fixture_start(void)
{
    fixture_must(fixture_init() == 0);
    fixture_must(fixture_start_instance() == 0);
}

void fixture_start_up(void)
{
    fixture_start();
    fixture_until(redis_least_busy(fixture.redis));
}

struct step {
    const char *key, *value;
    bp_span ttl;
    char *result;
    int status;
};

static void run_set(void *argument)
{
    struct step *step = argument;
    step->status = fixture.kv->set(fixture.redis, NULL, bp_str_of(step->key), bp_str_of(step->value), step->ttl);
}

int fixture_set(const char *key, const char *value, bp_span ttl)
{
    struct step step = {.key = key, .value = value, .ttl = ttl};
    fixture_run(run_set, &step);
    return step.status;
}

static void run_get(void *argument)
{
    struct step *step = argument;
    bp_str value = {0};
    step->status = fixture.kv->get(fixture.redis, NULL, bp_str_of(step->key), bp_fiber_arena(), &value);
    snprintf(step->result, 64, "%s", value.ptr ? value.ptr : "");
}

int fixture_get(const char *key, char ret_value[64])
{
    struct step step = {.key = key, .result = ret_value};
    fixture_run(run_get, &step);
    return step.status;
}

static void run_ping(void *argument)
{
    struct step *step = argument;
    step->status = fixture.kv->ping(fixture.redis, step->ttl);
}

int fixture_ping(bp_span timeout)
{
    struct step step = {.ttl = timeout};
    fixture_run(run_ping, &step);
    return step.status;
}
