/* SPDX-License-Identifier: MIT */
/* Which optional plugins have crashed workers so often that the server goes on without them. */
#ifndef CORE_SUPERVISOR_QUARANTINE_H
#define CORE_SUPERVISOR_QUARANTINE_H

#include "core/config/config.h"

#define QUARANTINE_SUSPECTS 16u
#define QUARANTINE_WINDOW BP_MINUTE /* in which server.quarantine_after crashes are too many */

struct quarantine {
    struct suspect {
        char name[CONFIG_NAME_MAX + 1]; /* of the instance; empty: free */
        unsigned crashes;
        bp_time since;
        bool indispensable; /* the server cannot do without it: it was tried */
    } suspects[QUARANTINE_SUSPECTS];
};

/* A worker has crashed in code of this instance. True: too often, and it is marked as optional. */
bool quarantine_crashed(struct quarantine *quarantine, const struct config *config, bp_str instance, bp_time now);
/* It could not be left out: not again, until quarantine_forget(). */
void quarantine_failed(struct quarantine *quarantine, bp_str instance);
/* The operator has changed something: everyone gets another chance. */
void quarantine_forget(struct quarantine *quarantine);

#endif
