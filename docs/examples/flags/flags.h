/* SPDX-License-Identifier: MIT */
/* The "flags" interface, version 1: switches that an operator turns while the server runs. Provided by flags. */
#ifndef FLAGS_H
#define FLAGS_H

#include <backplane/plugin.h>

#define FLAGS "flags"
#define FLAGS_VERSION 1u

/* Begins with its size, so that later versions may add functions. */
struct flags_vtable {
    uint32_t size;
    uint32_t spare;
    bool (*is_on)(void *self, bp_str name);
};

/* Whether the switch is on. On the worker's thread, from start on. Does not suspend. */
static inline bool flags_is_on(struct bp_service flags, bp_str name)
{
    return ((const struct flags_vtable *)flags.vtable)->is_on(flags.self, name);
}

#endif
