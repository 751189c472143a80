/* SPDX-License-Identifier: MIT */
/* All that is wrong with a configuration, collected and printed at once: "config/backplane.cfg:12: plugins.rate_limit.quotta: unknown option; did you mean \"quota\"?" */
#ifndef CORE_CONFIG_REPORT_H
#define CORE_CONFIG_REPORT_H

#include "core/base/buffer.h"

/* Starts as zeroes. */
struct report {
    struct buffer text; /* one line per problem, in the order found until report_sort */
    unsigned errors, warnings;
    struct buffer files; /* struct report_file, in the order that they were first named */
    struct buffer lines; /* struct report_line, one per problem */
};
/* file NULL: no position; line 0: the file as a whole; path: "plugins.rate_limit.quota", may be NULL. */
void report_error(struct report *report, const char *file, unsigned line, const char *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void report_warning(struct report *report, const char *file, unsigned line, const char *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Names a file that is being read, so that the report can be sorted in reading order. */
void report_file(struct report *report, const char *file);
/* Sorts text: problems without a position first, then file by file in reading order, by line, then in the order found. */
void report_sort(struct report *report);
void report_deinit(struct report *report);

#endif
