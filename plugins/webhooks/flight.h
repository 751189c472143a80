/* SPDX-License-Identifier: MIT */
/* The attempts of this worker that are on their way: how many there are for one endpoint is limited. */
#ifndef PLUGINS_WEBHOOKS_FLIGHT_H
#define PLUGINS_WEBHOOKS_FLIGHT_H

#include "backplane/uuid.h"

/* One, on the stack of its fiber. */
struct flight {
    struct flight *next;
    bp_uuid webhook_id;
};

/* False when there are so many for this endpoint already; then there is nothing to end. */
bool flight_begin(struct flight **first, struct flight *flight, const bp_uuid *webhook_id, uint32_t most);
void flight_end(struct flight **first, const struct flight *flight);

#endif
