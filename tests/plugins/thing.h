/* SPDX-License-Identifier: MIT */
/* A service of the plugins here. */
#ifndef TESTS_PLUGINS_THING_H
#define TESTS_PLUGINS_THING_H

#include <stdint.h>

/* What a version of the interface has that the provider here does not know yet: it must read as NULL. */
struct thing_vtable {
    uint32_t size;
    uint32_t spare;
    int (*answer)(void *self);
    int (*later)(void *self);
};

#endif
