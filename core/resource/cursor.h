/* SPDX-License-Identifier: MIT */
/*
 * Cursors: where a page ended, as a text that clients cannot read a meaning into nor make up: base64url of the sort keys' values
 * and a MAC (BLAKE2b, 16 bytes) over them and over what the cursor is for.
 */
#ifndef CORE_RESOURCE_CURSOR_H
#define CORE_RESOURCE_CURSOR_H

#include "backplane/arena.h"
#include "backplane/iface/database.h"

#define CURSOR_KEY_BYTES 32

/* purpose: resource, owner, filters, sort. ptr NULL: out of memory, or a value that is too long to be one (then there is none). */
bp_str cursor_make(const unsigned char key[CURSOR_KEY_BYTES], bp_str purpose, const struct bp_db_value *values,
                   size_t count, struct bp_arena *arena);
/* False when it is malformed, was made for something else, or not by this key. types: enum bp_type of each value expected. */
bool cursor_read(const unsigned char key[CURSOR_KEY_BYTES], bp_str purpose, bp_str cursor, const uint32_t *types,
                 size_t count, struct bp_arena *arena, struct bp_db_value *ret_values);

#endif
