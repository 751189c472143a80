/* SPDX-License-Identifier: MIT */
/* A plugin's shared object: found by name in a folder, opened once, never closed. */
#ifndef CORE_PLUGIN_LIBRARY_H
#define CORE_PLUGIN_LIBRARY_H

#include "backplane/plugin.h"
#include "core/base/buffer.h"

struct library {
    const char *name;
    const char *file;
    struct bp_plugin plugin;
};

/* <folder>/<name>.so, RTLD_NOW | RTLD_LOCAL, its descriptor checked and copied. False: why says what is wrong in plain words, and for a
 * file that is not there, which plugin was meant. The library lives in the arena. */
bool library_open(const char *folder, const char *name, struct bp_arena *arena, struct library *ret_library,
                  struct buffer *why);

/* The names of the plugins in a folder, sorted, NULL-ended, in the arena. NULL: the folder cannot be read, or out of memory. */
const char **library_names(const char *folder, struct bp_arena *arena, size_t *ret_count);

#endif
