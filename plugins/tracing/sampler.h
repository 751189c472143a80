/* SPDX-License-Identifier: MIT */
/* Which traces are recorded: decided when they begin (OpenTelemetry SDK, "Sampling"). Knows no request. */
#ifndef TRACING_SAMPLER_H
#define TRACING_SAMPLER_H

#include "backplane/clock.h"
#include "backplane/trace.h"

/* In the order of the option's names. */
enum sampler_kind {
    SAMPLER_ALWAYS_ON,
    SAMPLER_ALWAYS_OFF,
    SAMPLER_RATIO,
    SAMPLER_PARENT_ALWAYS_ON,
    SAMPLER_PARENT_ALWAYS_OFF,
    SAMPLER_PARENT_RATIO
};

struct sampler {
    enum sampler_kind kind;
    uint64_t bound; /* of the last 63 bits of a trace id: all services with one ratio agree about a trace */
    uint32_t rate;  /* traces a second at most; 0: any number */
    double tokens;
    bp_time filled;
};

void sampler_init(struct sampler *sampler, enum sampler_kind kind, double ratio, uint32_t rate);
/* parent: whose trace it is a part of; NULL: it begins here. */
bool sampler_decide(struct sampler *sampler, const uint8_t trace_id[16], const struct bp_trace_context *parent,
                    bp_time now);

#endif
