/* SPDX-License-Identifier: MIT */
/* Where lines go: a buffer before a descriptor. Lines of several workers never mix: each write ends with a whole line. */
#ifndef ACCESS_LOG_SINK_H
#define ACCESS_LOG_SINK_H

#include "backplane/str.h"

struct sink {
    int fd;     /* -1: closed */
    char *path; /* NULL: fd is standard output or error */
    char *buffer;
    size_t len, cap;
    uint64_t dropped; /* lines that could not be written */
};

/* output: "stdout", "stderr", or the path of a file, made with mode 0640 and appended to. 0, or an errno. */
int sink_open(struct sink *sink, const char *output, size_t buffer_size);
/* Adds a line; flushes when the buffer is full. */
void sink_add(struct sink *sink, bp_str line);
/* Writes what is buffered. 0, or the errno of a write that failed: the lines are counted as dropped. */
int sink_flush(struct sink *sink);
/* Opens the path again, after a rotation moved the file away. 0, or an errno: then the old descriptor stays. */
int sink_reopen(struct sink *sink);
void sink_close(struct sink *sink);

#endif
