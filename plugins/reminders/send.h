/* SPDX-License-Identifier: MIT */
/* Jobs: a reminder at its time, and what was sent is forgotten. */
#ifndef REMINDERS_SEND_H
#define REMINDERS_SEND_H

#include "backplane/clock.h"
#include "backplane/uuid.h"
#include "reminders.h"

#define REMINDER_EVENT "todo.reminder"

/* What a job is about. */
struct reminder {
    bp_uuid todo_id;
    bp_date remind_at;
};

/* In init: adds the jobs. 0 or a negative status, reported. */
int send_init(struct reminders *reminders);

#endif
