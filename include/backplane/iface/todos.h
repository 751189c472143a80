/* SPDX-License-Identifier: MIT */
/*
 * The "todos" interface, version 1: whoever provides it keeps the tables todos and lists in the database that its `database` names, as the
 * migrations of the plugin todos make them. A plugin that reads or writes them (lists, reminders) needs it.
 */
#ifndef BACKPLANE_IFACE_TODOS_H
#define BACKPLANE_IFACE_TODOS_H

#include "backplane/clock.h"
#include "backplane/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_TODOS "todos"
#define BP_TODOS_VERSION 1u

/* Bytes that a recurrence has at most. */
#define BP_TODOS_RULE_MAX 128u

/* Of bp_todos_next(): the rule has ended, there is none. */
#define BP_TODOS_E_ENDED 1

/* Call it through the functions below. */
struct bp_todos_vtable {
    uint32_t size;
    uint32_t spare;
    int (*next)(bp_str rule, bp_date from, bp_date after, bp_date *ret_next, char ret_rule[BP_TODOS_RULE_MAX]);
};

/* Of the todo that follows one of the date `from`, by its recurrence: the first date that is also later than `after` (from: none is left out), and its own
 * recurrence, with a NUL (COUNT is one less, however many dates are left out). 0; BP_TODOS_E_ENDED;
 * BP_MISUSE for what is no recurrence. Pure. */
static inline int bp_todos_next(struct bp_service todos, bp_str rule, bp_date from, bp_date after, bp_date *ret_next,
                                char ret_rule[BP_TODOS_RULE_MAX])
{
    return ((const struct bp_todos_vtable *)todos.vtable)->next(rule, from, after, ret_next, ret_rule);
}

#ifdef __cplusplus
}
#endif
#endif
