/* SPDX-License-Identifier: MIT */
#include "tests/unit/worker/support.h"

#include <criterion/criterion.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/worker/fiber.h"

struct loop *loop;
struct assembly assembly;
struct bp_host host = {.name = "test", .name_str = BP_STR_INIT("test"), .assembly = &assembly};
bp_time worker_time;

static bp_time monotonic(void)
{
    struct timespec now;
    if (worker_time)
        return worker_time;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * BP_SECOND + now.tv_nsec;
}

static bp_date wall(void)
{
    return 1795377302123; /* 2026-11-22T19:55:02.123Z */
}

static const struct clock_source source = {.monotonic = monotonic, .wall = wall};

void worker_loop(const struct loop_options *options)
{
    loop_free(loop);
    cr_assert_eq(loop_new(options, &loop), 0);
    assembly.loop = loop;
}

void worker_setup(void)
{
    worker_time = 1000 * BP_SECOND;
    clock_replace(&source);
    worker_loop(NULL);
}

void worker_teardown(void)
{
    loop = loop_free(loop);
    fiber_pool_free();
    clock_replace(NULL);
}

void worker_turn_until(const bool *condition)
{
    while (!*condition)
        loop_turn(loop, BP_FOREVER);
}
