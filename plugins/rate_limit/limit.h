/* SPDX-License-Identifier: MIT */
/* What a limit is, and what it says about one request; the words that both algorithms share. */
#ifndef LIMIT_H
#define LIMIT_H

#include "backplane/clock.h"

struct limit {
    uint32_t quota; /* requests, from 1 to 10^9 */
    bp_span window;
};

struct verdict {
    bool allowed;
    uint32_t remaining; /* requests that would be allowed now, after this one */
    bp_span reset_in;   /* until the counting starts anew */
    bp_span retry_in;   /* until the next request is allowed, when this one was not; else 0 */
};

#endif
