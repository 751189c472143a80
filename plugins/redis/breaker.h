/* SPDX-License-Identifier: MIT */
/*
 * A circuit breaker: closed (asks), open (does not), closed again when a probe was answered. The probe is the attempt
 * to connect, made in the background; no request is spent on it. Pure: time is an argument.
 */
#ifndef REDIS_BREAKER_H
#define REDIS_BREAKER_H

#include "backplane/clock.h"

struct breaker {
    uint32_t limit;    /* failures in a row that open it */
    bp_span open_time; /* from opening to the first probe */
    uint32_t failures;
    bool open;
    bp_time probe_at;
};

/* One more failure in a row: true when this one opened it. */
bool breaker_failed(struct breaker *breaker, bp_time now);
/* Opens it whatever the count: true when it was closed. */
bool breaker_trip(struct breaker *breaker, bp_time now);
/* A command was answered in time. */
void breaker_succeeded(struct breaker *breaker);
/* Closes it: true when it was open. The next failure opens it again, unless a success comes first. */
bool breaker_probed(struct breaker *breaker);
/* How long the background has to wait until it may probe; 0 when closed. */
bp_span breaker_wait(const struct breaker *breaker, bp_time now);

/* Exponential back-off with full jitter above half: 50 ms, doubled up to 2 s. */
struct backoff {
    unsigned attempts;
};
/* random: any 32 bits. */
bp_span backoff_next(struct backoff *backoff, uint32_t random);

#endif
