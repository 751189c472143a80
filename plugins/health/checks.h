/* SPDX-License-Identifier: MIT */
/* Asks the registered checks, in the background and when somebody wants to know, and remembers what they said. */
#ifndef HEALTH_CHECKS_H
#define HEALTH_CHECKS_H

#include "backplane/backplane.h"
#include "state.h"

struct health;

struct check {
    struct health *health;
    const struct bp_health_entry *entry;
    struct health_state state;
    struct bp_series *up, *failures;
};

/* Somebody who waits for answers. On the stack of its fiber. */
struct watcher {
    struct watcher *next;
    bp_event event;
};

struct checks {
    struct check *items; /* from malloc */
    size_t count;
    struct watcher *watchers;
    struct bp_metric *up, *failures;
    bool ready; /* as last logged */
};

extern const struct bp_metric_row health_metrics[];
/* In start: begins to ask, every interval. */
int checks_start(struct health *health);
void checks_deinit(struct checks *checks);

/* On a fiber: returns when every check has a state not older than interval, or was silent for its timeout. Suspends. 0 or
 * BP_CANCELED. */
int checks_settle(struct health *health);
/* Whether readiness holds, as far as the checks go. */
bool checks_ready(const struct checks *checks, bp_time now);

#endif
