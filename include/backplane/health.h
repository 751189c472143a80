/* SPDX-License-Identifier: MIT */
/* Health checks: what a plugin depends on outside of this process (a database, a broker), asked by the health plugin. */
#ifndef BACKPLANE_HEALTH_H
#define BACKPLANE_HEALTH_H

#include "backplane/clock.h"
#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bp_host;

#define BP_HEALTH_DETAIL 160u

/* What a check may return beside 0 and a negative status. */
enum bp_health_condition {
    BP_HEALTH_UNFIT = 1 /* it answers, but cannot be used until somebody mends it (migrations are missing): no grace */
};

/* A check, as a plugin defines it. Begins with its size; static const. */
struct bp_health_check {
    uint32_t size;
    uint32_t required; /* 1: readiness fails when it fails for longer than grace; 0: it only warns */
    const char *name;  /* "database", "redis" */
    bp_span grace;     /* how long a failure of what once worked is borne before readiness fails */
    /* 0, a negative status, or BP_HEALTH_UNFIT; detail (BP_HEALTH_DETAIL bytes, empty before): one line for an operator, why it
     * failed or what is worth knowing ("2 migrations are missing: run backplane migrate up"). Suspends; takes at most timeout.
     * Never two at once in one worker, and only between the instance's start and its stop. */
    int (*check)(void *self, bp_span timeout, char *detail);
};

/* In init only: adds a check of this instance, asked with its self. The definition is borrowed. 0 or BP_NOMEM. Does not suspend. */
int bp_health_new(struct bp_host *host, const struct bp_health_check *check);
/* The same, with required and grace chosen by the instance's options. */
int bp_health_new_with(struct bp_host *host, const struct bp_health_check *check, bool required, bp_span grace);

/* A check of some instance, as the health plugin sees it. */
struct bp_health_entry {
    const struct bp_health_check *check;
    void *self;
    bp_str instance;
    bool required;
    bp_span grace;
};
/* In start and later: the index-th check of all instances; NULL when there are no more. Does not suspend. */
const struct bp_health_entry *bp_health_entry(const struct bp_host *host, size_t index);
/* Runs the check: its status and detail. BP_CANCELED, and nothing was asked, before the instance's start and from its stop on,
 * which also cancels the fiber that is asking; BP_BUSY while somebody else asks. On a fiber; suspends. */
int bp_health_ask(const struct bp_health_entry *entry, bp_span timeout, char detail[BP_HEALTH_DETAIL]);

#ifdef __cplusplus
}
#endif
#endif
