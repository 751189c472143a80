/* SPDX-License-Identifier: MIT */
/* Child processes: this executable again, started clean, with what it inherits named in its arguments. */
#ifndef CORE_SUPERVISOR_CHILD_H
#define CORE_SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/config/config.h"
#include "core/supervisor/listeners.h"

enum child_kind { CHILD_CHECK, CHILD_WORKER, CHILD_JOBS };

struct child {
    enum child_kind kind;
    unsigned slot;     /* among all workers */
    unsigned index;    /* among those of its kind; not known to the child, */
    const char *title; /* which knows its name: "worker 1", "jobs worker 1" */
    int control_fd;    /* in a check, where it says what is wrong; -1: to standard error */
    int memory_fd;     /* -1 in a check */
    int listen_fds[LISTENERS_MAX];
    bool listen_proxied[LISTENERS_MAX];                    /* speaks the PROXY protocol */
    char listen_names[LISTENERS_MAX][CONFIG_NAME_MAX + 1]; /* empty: none */
    unsigned listen_count;
    pid_t supervisor;
};

/* "worker" or "jobs worker", for people. */
const char *child_title(enum child_kind kind);
/* Descriptors of child are inherited; everything else must be close-on-exec. The child's signals are unblocked and at their
 * defaults, and it is killed when this process dies. -1: errno. */
pid_t child_spawn(const struct child *child, const struct config_load_options *options);
/* The other side: what main()'s arguments say. False when they are not child_spawn()'s. The options borrow argv. */
bool child_parse(int argc, char **argv, struct child *ret_child, struct config_load_options *ret_options);

#endif
