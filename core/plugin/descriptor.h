/* SPDX-License-Identifier: MIT */
/* The ABI's gate: a descriptor as a shared object exports it becomes a full-size copy that the core can trust. */
#ifndef CORE_PLUGIN_DESCRIPTOR_H
#define CORE_PLUGIN_DESCRIPTOR_H

#include "backplane/plugin.h"
#include "core/base/buffer.h"

/* Checks, in this order, magic, major, minor, size, name (equal to the file's) and every table; then copies the struct, the rows of
 * needs, provides, routes and migrations, and the vtables into zeroed memory of at least this server's sizes. False: why says what was
 * refused, with both values. The rest stays borrowed from the shared object, which is never closed. */
bool descriptor_copy(const struct bp_plugin *from, const char *file_name, struct bp_arena *arena,
                     struct bp_plugin *ret_plugin, struct buffer *why);

/* Checks and copies routes or migrations that an instance adds to those of its plugin, of which it must have none. Borrows nothing but
 * what the rows point to. False: why. */
bool descriptor_add(struct bp_plugin *plugin, const struct bp_plugin *added, struct bp_arena *arena,
                    struct buffer *why);

/* The key of a plugins: entry that chooses among several providers. */
const char *descriptor_need_key(const struct bp_need *need);

/* True for the keys of a plugins: entry (or of a stage) that mean something to the core; so no option may be named so. */
bool descriptor_is_core_key(const char *name);

#endif
