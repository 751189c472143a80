/* SPDX-License-Identifier: MIT */
/* An instance of the plugin with a real loop; no server of ours. */
#ifndef REDIS_TESTS_FIXTURE_H
#define REDIS_TESTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "core/worker/loop.h"
#include "redis.h"
#include "tests/support/redis.h"

struct fixture {
    struct redis *redis;
    struct bp_host *host;
    const struct bp_key_value_vtable *kv;
    char folder[256];
};
/* One a process. */
extern struct fixture fixture;

/* A folder below TMPDIR for the log, the loop, the instance with default options. Aborts when anything fails. Then change
 * options in fixture.redis. */
void fixture_new(const char *url);
/* init: its status. */
int fixture_init(void);
/* init and start; aborts unless both are fine. */
void fixture_start(void);
/* Turns the loop until it answers. */
void fixture_start_up(void);
void fixture_stop(void);
void fixture_free(void);
/* start's own status, after fixture_init(). */
int fixture_start_status(void);

/* Runs the function on a fiber until it has ended. */
void fixture_run(void (*function)(void *argument), void *argument);
/* Begins it only; fixture_wait() turns the loop until none is left. */
struct bp_fiber *fixture_begin(void (*function)(void *argument), void *argument);
void fixture_wait(void);
void fixture_turn(void);
/* Turns the loop until the condition holds; aborts after 20 s. */
#define fixture_until(condition)                      \
    do {                                              \
        bp_time limit_ = bp_clock() + 20 * BP_SECOND; \
        while (!(condition))                          \
            fixture_turn_before(limit_, #condition);  \
    } while (0)
void fixture_turn_before(bp_time limit, const char *condition);

/* All log lines so far. Valid until the next call. */
const char *fixture_log(void);
bool fixture_logged(const char *text);
unsigned fixture_logged_times(const char *text);
/* All metrics. Valid until the next call. */
const char *fixture_metrics(void);

/* On the test's own stack, with the instance's timeout. */
int fixture_set(const char *key, const char *value, bp_span ttl);
/* "" when there is none. */
int fixture_get(const char *key, char ret_value[64]);
int fixture_ping(bp_span timeout);

#endif
