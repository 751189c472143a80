/* SPDX-License-Identifier: MIT */
/* All that is wrong with a configuration, collected and printed at once: "config/backplane.cfg:12: plugins.rate_limit.quotta: unknown option; did you mean \"quota\"?" */
#ifndef CORE_CONFIG_REPORT_H
#define CORE_CONFIG_REPORT_H

#include "core/base/buffer.h"

struct report {
    struct buffer text; /* one line per problem, in the order found */
    unsigned errors, warnings;
};
/* file NULL: no position; line 0: the file as a whole; path: "plugins.rate_limit.quota", may be NULL. */
void report_error(struct report *report, const char *file, unsigned line, const char *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void report_warning(struct report *report, const char *file, unsigned line, const char *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void report_deinit(struct report *report);

#endif
