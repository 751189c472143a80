/* SPDX-License-Identifier: MIT */
/* A todo with a recurrence was completed: the next one. */
#ifndef REMINDERS_REPEAT_H
#define REMINDERS_REPEAT_H

#include "backplane/iface/database.h"
#include "reminders.h"
#include "todo.h"

/* Adds it, unless the rule has ended, or it is there already: its identifier comes of that of the todo before it. data: what todo was read
 * from, JSON. Suspends. 0 or a negative
 * status. */
int repeat_todo(const struct reminders *reminders, struct bp_tx *tx, const struct todo *todo, bp_str data);

#endif
