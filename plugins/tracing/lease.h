/* SPDX-License-Identifier: MIT */
/*
 * Which of the workers exports the metrics of the server: they are sums over all of them. In shared memory. Whoever asks first has it; another one gets it
 * when that has given it back, or died, or has not asked again for too long.
 */
#ifndef TRACING_LEASE_H
#define TRACING_LEASE_H

#include "backplane/clock.h"
#include "backplane/shared.h"
#include "backplane/uuid.h"

#define LEASE_LAYOUT 1u

struct lease {
    struct bp_mutex mutex;
    int32_t holder; /* process id; 0: nobody */
    uint32_t began_once;
    bp_time seen;     /* when it last asked */
    bp_date began;    /* when the server did, and with it its counters */
    bp_uuid instance; /* the server's, for as long as its counters last */
};

/* In start: the first one notes when that is. */
void lease_begin(struct lease *lease, bp_date now);
/* Whether this process has it, from now on. patience: how long another one may be silent. */
bool lease_take(struct lease *lease, int32_t process, bp_time now, bp_span patience);
/* Lets go of it; false: it had not got it. */
bool lease_give_back(struct lease *lease, int32_t process);

#endif
