/* SPDX-License-Identifier: MIT */
#include "places.h"

#include "backplane/status.h"

struct place_waiter {
    struct place_waiter *next;
    bp_event event;
};

void places_init(struct places *places, uint32_t max, uint32_t queue_max)
{
    *places = (struct places){.max = max, .queue_max = queue_max};
    places->last = &places->first;
}

static void unlink_waiter(struct places *places, const struct place_waiter *waiter)
{
    struct place_waiter **at = &places->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (places->last == &waiter->next)
        places->last = at;
    places->queued--;
}

int places_enter_at_once(struct places *places)
{
    if (places->taken >= places->max)
        return BP_BUSY;
    places->taken++;
    return 0;
}

int places_enter(struct places *places, bp_time deadline)
{
    struct place_waiter waiter = {.next = NULL};
    if (places_enter_at_once(places) == 0)
        return 0;
    if (places->queued >= places->queue_max)
        return BP_BUSY;
    *places->last = &waiter;
    places->last = &waiter.next;
    places->queued++;
    int status = bp_event_wait(&waiter.event, deadline == BP_FOREVER ? BP_FOREVER : deadline - bp_clock());
    if (status < 0)
        unlink_waiter(places, &waiter);
    return status;
}

/* The place goes to who waits longest: nobody overtakes. */
void places_leave(struct places *places)
{
    struct place_waiter *waiter = places->first;
    if (!waiter) {
        places->taken--;
        return;
    }
    unlink_waiter(places, waiter);
    bp_event_set(&waiter->event);
}
