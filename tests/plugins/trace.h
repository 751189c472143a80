/* SPDX-License-Identifier: MIT */
/* What the plugins here tell a test about when they are called. */
#ifndef TESTS_PLUGINS_TRACE_H
#define TESTS_PLUGINS_TRACE_H

#include "backplane/backplane.h"

/* Weak: the server, which has none, can load them too. */
__attribute__((weak, format(printf, 2, 3))) void test_trace(const struct bp_host *host, const char *format, ...);
/* All that was told, "instance what; " each; empties it. */
const char *test_trace_take(void);

#define TRACE(...)                   \
    do {                             \
        if (test_trace)              \
            test_trace(__VA_ARGS__); \
    } while (0)

#endif
