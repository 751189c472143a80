/* SPDX-License-Identifier: MIT */
/* An instance of the plugin with a real loop and a real file in a folder of its own; no server. */
#ifndef SQLITE_TESTS_FIXTURE_H
#define SQLITE_TESTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "core/worker/loop.h"
#include "database.h"

struct fixture {
    char folder[256];
    struct database *database;
    struct bp_service service;
};
/* One a process. */
extern struct fixture fixture;

/* The folder (a fresh one below TMPDIR, or `folder` when not NULL), the loop, the instance with default options, init.
 * Log lines go to <folder>/log. Aborts when anything fails. */
void fixture_new(const char *folder);
/* Starts the instance: its status. */
int fixture_start(void);
void fixture_stop(void);
/* Stops what runs, frees all, removes the folder. */
void fixture_free(void);
/* For a child: loop and instance of its own over the same folder and shared memory. The parent has not started. */
void fixture_child(void);

/* Brings the migrations of a plugin of this name up to date, as the core does it. */
int fixture_migrate(const char *owner, const struct bp_migration *migrations, unsigned *ret_applied);

/* Runs the function on a fiber until it has ended. */
void fixture_run(void (*function)(void *argument), void *argument);
/* Begins it only; fixture_wait() turns the loop until none is left, fixture_turn() once. */
struct bp_fiber *fixture_begin(void (*function)(void *argument), void *argument, bp_time deadline);
void fixture_wait(void);
void fixture_turn(void);
/* Turns the loop until the condition holds. */
#define fixture_until(condition) \
    do {                         \
        while (!(condition))     \
            fixture_turn();      \
    } while (0)

/* On the test's own stack: a statement without rows, its status. */
int fixture_query(const struct bp_statement *statement, const struct bp_db_value *values, size_t count);
int fixture_exec(const char *sql);
/* SELECT of one integer, with a connection of its own. Aborts when there is none. */
int64_t fixture_integer(const char *sql);
/* All log lines so far. Valid until the next call. */
const char *fixture_log(void);
bool fixture_logged(const char *text);
/* <folder>/<name>; valid until the fourth next call. */
const char *fixture_path(const char *name);

#endif
