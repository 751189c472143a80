/* SPDX-License-Identifier: MIT */
/* The core's metrics of plugins: how long their stages and handlers take, and how often they fail. */
#ifndef CORE_PLUGIN_HOOKS_H
#define CORE_PLUGIN_HOOKS_H

#include "backplane/clock.h"

struct assembly;
struct bp_host;
struct bp_metric;
struct bp_series;

enum hook { HOOK_MIDDLEWARE, HOOK_HANDLER, HOOKS };

/* What a plugin did wrong: a reply of 500 and the like; 503; 504; its worker died in it; its worker's loop stood still in it. */
enum fault { FAULT_ERROR, FAULT_UNAVAILABLE, FAULT_TIMEOUT, FAULT_CRASH, FAULT_STALL, FAULTS };

/* A part of struct bp_host. NULL before the start. */
struct hook_series {
    struct bp_series *time[HOOKS];
    struct bp_series *faults[FAULTS];
};

/* One of so many requests is timed: a clock read before and after each stage would cost more than most stages do. */
#define HOOK_SAMPLE 16u

/* The call that runs on a timed request. The time of calls within it is theirs. */
struct hook_timer {
    struct hook_timer *outer;
    bp_span inner;
};

int hooks_init(struct assembly *assembly);
void hooks_start(const struct assembly *assembly);
void hooks_stop(void);

/* Whether this request is timed. */
bool hooks_sampled(void);
void hooks_took(const struct bp_host *host, enum hook hook, bp_span took);
/* A stage or handler of host made a reply of this status, which is 500 or more. host: NULL: none did. */
void hooks_failed(const struct bp_host *host, unsigned status);
/* The worker dies or stands still in the plugin of that instance name (its own pointer, or NULL). Async-signal-safe. */
void hooks_fault(const char *plugin, enum fault fault);

#endif
