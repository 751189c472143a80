/* SPDX-License-Identifier: MIT */
#include "core/base/clock.h"

#include <stdatomic.h>
#include <time.h>

static bp_time system_monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * BP_SECOND + now.tv_nsec;
}

static bp_date system_wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const struct clock_source system_source = {.monotonic = system_monotonic, .wall = system_wall};
static _Atomic(const struct clock_source *) current = &system_source;

void clock_replace(const struct clock_source *source)
{
    atomic_store(&current, source ? source : &system_source);
}

bp_time bp_clock(void)
{
    return atomic_load_explicit(&current, memory_order_acquire)->monotonic();
}

bp_date bp_date_now(void)
{
    return atomic_load_explicit(&current, memory_order_acquire)->wall();
}
