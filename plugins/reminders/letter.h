/* SPDX-License-Identifier: MIT */
/* What a reminder says. Pure; texts are in the arena, ptr NULL when out of memory. */
#ifndef REMINDERS_LETTER_H
#define REMINDERS_LETTER_H

#include "backplane/arena.h"
#include "todo.h"

#define LETTER_SUBJECT_MAX 200u /* bytes */

/* "Reminder: Buy milk": one line, cut between characters. */
bp_str letter_subject(const struct todo *todo, struct bp_arena *arena);
/* link: what stands before the todo's identifier in an address to follow; empty: none. */
bp_str letter_text(const struct todo *todo, bp_str link, struct bp_arena *arena);

#endif
