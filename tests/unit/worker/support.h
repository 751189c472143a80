/* SPDX-License-Identifier: MIT */
/* A loop on a clock that tests set, and a host on it. */
#ifndef TESTS_UNIT_WORKER_SUPPORT_H
#define TESTS_UNIT_WORKER_SUPPORT_H

#include "core/plugin/assembly.h"
#include "core/worker/loop.h"

extern struct loop *loop;
extern struct assembly assembly;
extern struct bp_host host;
/* What bp_clock() says; 0: the system's clock. */
extern bp_time worker_time;

void worker_setup(void);
void worker_teardown(void);
/* Replaces the loop by one with these options. */
void worker_loop(const struct loop_options *options);
/* Turns the loop until *condition. */
void worker_turn_until(const bool *condition);

#endif
