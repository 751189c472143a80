/* SPDX-License-Identifier: MIT */
/* What a limit is, and what it says about one request; the words that both algorithms share. */
#ifndef LIMIT_H
#define LIMIT_H

#include "backplane/clock.h"

/* Limits that one stage may have: 10 a second and 100 a minute are two. */
#define LIMITS_MAX 4u

struct limit {
    uint32_t quota; /* requests, from 1 to 10^9 */
    uint32_t burst; /* gcra: how many at once; else the quota */
    bp_span window;
};

struct verdict {
    bool allowed;
    uint32_t remaining; /* requests that would be allowed now, after this one */
    bp_span reset_in;   /* until the counting starts anew */
    bp_span retry_in;   /* until this request would be allowed, when it was not; else 0 */
};

#endif
