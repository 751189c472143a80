/* SPDX-License-Identifier: MIT */
/*
 * The "todos" interface, version 1: whoever provides it keeps the tables todos and lists in the database that its `database` names, as the
 * migrations of the plugin todos make them. Nothing is called; a plugin that writes to them (lists) needs it.
 */
#ifndef BACKPLANE_IFACE_TODOS_H
#define BACKPLANE_IFACE_TODOS_H

#include "backplane/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_TODOS "todos"
#define BP_TODOS_VERSION 1u

/* Nothing is called: that it is there says that the tables are. */
struct bp_todos_vtable {
    uint32_t size;
    uint32_t spare;
};

#ifdef __cplusplus
}
#endif
#endif
