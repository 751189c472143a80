/* SPDX-License-Identifier: MIT */
/* The types of events that an endpoint wants: "todo.created", "todo.*". */
#ifndef PLUGINS_WEBHOOKS_TYPES_H
#define PLUGINS_WEBHOOKS_TYPES_H

#include "backplane/arena.h"
#include "backplane/field.h"

#define TYPES_MAX 20
#define TYPE_MAX 64

/* Rows of an array of them. */
extern const struct bp_field type_rows[];

/* types: of bp_str. None: every type is wanted. */
bool types_match(struct bp_array types, bp_str type);
/* As a JSON array; ptr NULL: out of memory. */
bp_str types_json(struct bp_array types, struct bp_arena *arena);

#endif
