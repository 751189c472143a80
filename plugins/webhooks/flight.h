/* SPDX-License-Identifier: MIT */
/* The attempts of this worker that are on their way: how many there are for one endpoint, and for all of one user, is limited. */
#ifndef PLUGINS_WEBHOOKS_FLIGHT_H
#define PLUGINS_WEBHOOKS_FLIGHT_H

#include "backplane/uuid.h"

/* One, on the stack of its fiber. */
struct flight {
    struct flight *next;
    bp_uuid webhook_id, user_id;
};

/* Of webhook_id and user_id. False when there are so many for this endpoint, or this user, already; then there is nothing to end. */
bool flight_begin(struct flight **first, struct flight *flight, uint32_t most, uint32_t most_of_user);
void flight_end(struct flight **first, const struct flight *flight);

#endif
