/* SPDX-License-Identifier: MIT */
/* The plugin, and shorthands for what it does. */
#ifndef REDIS_TESTS_FIXTURE_H
#define REDIS_TESTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "redis.h"
#include "tests/support/fixture.h"
#include "tests/support/redis.h"

struct fixture {
    struct redis *redis;
    struct bp_host *host;
    const struct bp_key_value_vtable *kv;
};
/* One a process. */
extern struct fixture fixture;

/* The instance with default options and this URL. Then change options in fixture.redis. */
void fixture_new(const char *url);
/* init and start; aborts unless both are fine. */
void fixture_start(void);
/* Turns the loop until it answers. */
void fixture_start_up(void);

/* On the test's own stack, with the instance's timeout. */
int fixture_set(const char *key, const char *value, bp_span ttl);
/* "" when there is none. */
int fixture_get(const char *key, char ret_value[64]);
int fixture_ping(bp_span timeout);

#endif
