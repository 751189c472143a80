/* SPDX-License-Identifier: MIT */
/* The first process: listeners, shared memory, workers. Loads no plugin and uses no event loop but poll(). */
#ifndef CORE_SUPERVISOR_SUPERVISOR_H
#define CORE_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>

struct config_load_options;

/* `backplane run`: until a signal ends it. The exit code: 0 after a drain, 1 when it could not start. */
int supervisor_run(const struct config_load_options *options);

/* To be asked first by main(): true when this process is one that a supervisor started (a worker, the check before the start), which has
 * then run; *ret_exit is its exit code. */
bool supervisor_child(int argc, char **argv, int *ret_exit);

#endif
