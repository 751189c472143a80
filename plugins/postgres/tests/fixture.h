/* SPDX-License-Identifier: MIT */
/* An instance of the plugin with a real loop and a database of its own in the cluster of with_services; no server. */
#ifndef POSTGRES_TESTS_FIXTURE_H
#define POSTGRES_TESTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "connection.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"
#include "database.h"
#include "tests/support/postgres.h"

struct fixture {
    char folder[256];
    char url[POSTGRES_URL_SIZE];   /* of the database, as the role "backplane" */
    char admin[POSTGRES_URL_SIZE]; /* of the same, as the superuser */
    struct database *database;
    struct bp_service service;
};
/* One a process. */
extern struct fixture fixture;

/* The instance with default options and fixture.url, not yet started; tests may change options until fixture_start(). Log lines
 * go to <folder>/log. Aborts when anything fails. */
void fixture_new(void);
/* Options as in a configuration, from then on those of the instance. url may point anywhere. */
void fixture_use_url(const char *url);
/* init and start: the status. */
int fixture_start(void);
/* Stops it and joins its fibers. */
void fixture_stop(void);
/* Stops what runs, frees all. */
void fixture_free(void);

/* Runs the function on a fiber until it has ended. */
void fixture_run(void (*function)(void *argument), void *argument);
/* Begins it only; fixture_wait() turns the loop until none is left. */
struct bp_fiber *fixture_begin(void (*function)(void *argument), void *argument, bp_time deadline);
void fixture_wait(void);
void fixture_turn(void);
/* Turns the loop until the condition holds; aborts the test after 20 s. */
#define fixture_until(condition) fixture_until_(condition, #condition, __LINE__)
#define fixture_until_(condition, text, line)               \
    do {                                                    \
        bp_time fixture_end_ = bp_clock() + 20 * BP_SECOND; \
        while (!(condition)) {                              \
            fixture_turn();                                 \
            if (bp_clock() > fixture_end_)                  \
                fixture_give_up(text, line);                \
        }                                                   \
    } while (0)
_Noreturn void fixture_give_up(const char *condition, int line);

/* On the test's own stack: a statement without rows, its status. */
int fixture_query(const struct bp_statement *statement, const struct bp_db_value *values, size_t count);
/* With connections of their own, as the superuser. */
void fixture_execute(const char *sql);
int64_t fixture_integer(const char *sql);
/* All log lines so far. Valid until the next call. */
const char *fixture_log(void);
bool fixture_logged(const char *text);
/* How many log lines hold the text. */
unsigned fixture_logged_times(const char *text);

#endif
