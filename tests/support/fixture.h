/* SPDX-License-Identifier: MIT */
/*
 * The plugin that is linked into a test program, tested alone: an instance of it with a real loop, shared memory and a folder, and no server. One a
 * process. A plugin's own tests/fixture.h adds what its instance is and how it is started. Whatever fails aborts the test, and says what.
 */
#ifndef TESTS_SUPPORT_FIXTURE_H
#define TESTS_SUPPORT_FIXTURE_H

#include "core/plugin/assembly.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"

extern struct bp_host fixture_host;
extern struct assembly fixture_assembly;
extern char fixture_folder[256];

#define fixture_must(condition) ((condition) ? (void)0 : fixture_fail(#condition, __FILE__, __LINE__))
_Noreturn void fixture_fail(const char *condition, const char *file, int line);

/* The folder (a fresh one below TMPDIR), its log, where log lines of all levels go, and shared memory; then an instance. */
void fixture_open(const char *plugin, const char *instance, unsigned offload_threads);
/* Another loop and another instance in the same place, as a child of this process has them: those of the parent are only forgotten. */
void fixture_reopen(void);
/* Metrics and init, as the core does them: 0 or BP_INVALID, and then why is in the log. Before it, tests change options. */
int fixture_init(void);
/* start, on a fiber: its status. */
int fixture_start_instance(void);
/* stop, if it was started, with what it spawned and its timers. */
void fixture_stop(void);
/* Stops what runs, frees all, removes the folder. */
void fixture_close(void);

/* Runs the function on a fiber until it has ended. */
void fixture_run(void (*function)(void *argument), void *argument);
/* Begins it only. deadline: of bp_clock(), or BP_FOREVER. *done, which may be NULL, is set when it has ended. */
struct bp_fiber *fixture_begin(void (*function)(void *argument), void *argument, bp_time deadline, bool *done);
/* Turns the loop until none is left that was begun; once. */
void fixture_wait(void);
void fixture_turn(void);
/* Turns the loop until the condition holds; a minute at most. */
#define fixture_until(condition)                                        \
    do {                                                                \
        bp_time fixture_limit_ = bp_clock() + BP_MINUTE;                \
        while (!(condition)) {                                          \
            if (bp_clock() >= fixture_limit_)                           \
                fixture_fail("never: " #condition, __FILE__, __LINE__); \
            fixture_turn();                                             \
        }                                                               \
    } while (0)

/* All log lines so far, and how many hold the text. The lines are valid until the next call. */
const char *fixture_log(void);
unsigned fixture_logged(const char *text);
/* All metrics. Valid until the next call. */
const char *fixture_metrics(void);

#endif
