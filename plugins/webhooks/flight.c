/* SPDX-License-Identifier: MIT */
#include "flight.h"

bool flight_begin(struct flight **first, struct flight *flight, uint32_t most, uint32_t most_of_user)
{
    uint32_t count = 0, count_of_user = 0;
    for (const struct flight *other = *first; other; other = other->next) {
        count += bp_uuid_eq(&other->webhook_id, &flight->webhook_id);
        count_of_user += bp_uuid_eq(&other->user_id, &flight->user_id);
    }
    if (count >= most || count_of_user >= most_of_user)
        return false;
    flight->next = *first;
    *first = flight;
    return true;
}

void flight_end(struct flight **first, const struct flight *flight)
{
    while (*first != flight)
        first = &(*first)->next;
    *first = flight->next;
}
