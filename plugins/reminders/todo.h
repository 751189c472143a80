/* SPDX-License-Identifier: MIT */
/* A todo as the API shows it, which is also what events say of it. */
#ifndef REMINDERS_TODO_H
#define REMINDERS_TODO_H

#include "backplane/field.h"

struct todo {
    uint64_t set, null;
    bp_uuid id;
    bp_str title;
    bool completed;
    bp_uuid user_id;
    bp_date created_at, updated_at;
    bp_str description;
    uint32_t priority;
    bp_date due_at, completed_at;
    int64_t version;
    bp_uuid list_id;
    struct bp_array tags; /* of bp_str */
    double position;
    bp_date remind_at;
    bp_str recurrence;
};

extern const struct bp_field todo_rows[];

/* Columns of the table todos for these rows. */
#define TODO_COLUMNS                                                                                                \
    "id, title, completed, user_id, created_at, updated_at, description, priority, due_at, completed_at, version, " \
    "list_id, tags, position, remind_at, recurrence"

/* Whether a member that may be null has a value. */
bool todo_has(const struct todo *todo, const char *member);
/* When its owner is to be reminded of it: at its remindAt, or, when due says so, without one at its dueAt. False: not at all. */
bool todo_reminds(const struct todo *todo, bool due, bp_date *ret_at);

#endif
