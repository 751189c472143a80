/* SPDX-License-Identifier: MIT */
/* The consumer of events: for each todo that is to be reminded of there is a job, at its time, and for no other. */
#ifndef REMINDERS_PLAN_H
#define REMINDERS_PLAN_H

#include "backplane/iface/events.h"
#include "reminders.h"

/* See bp_events_function. */
int plan_follow(struct bp_tx *tx, const struct bp_events_item *items, size_t count, void *reminders);

#endif
