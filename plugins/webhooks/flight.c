/* SPDX-License-Identifier: MIT */
#include "flight.h"

bool flight_begin(struct flight **first, struct flight *flight, const bp_uuid *webhook_id, uint32_t most)
{
    uint32_t count = 0;
    for (const struct flight *other = *first; other; other = other->next)
        count += bp_uuid_eq(&other->webhook_id, webhook_id);
    if (count >= most)
        return false;
    *flight = (struct flight){.next = *first, .webhook_id = *webhook_id};
    *first = flight;
    return true;
}

void flight_end(struct flight **first, const struct flight *flight)
{
    while (*first != flight)
        first = &(*first)->next;
    *first = flight->next;
}
