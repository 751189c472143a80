/* SPDX-License-Identifier: MIT */
/* The plugin, with a real file in the folder. */
#ifndef SQLITE_TESTS_FIXTURE_H
#define SQLITE_TESTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "database.h"
#include "tests/support/fixture.h"

struct fixture {
    struct database *database;
    struct bp_service service;
};
/* One a process. */
extern struct fixture fixture;

/* The instance with default options, init. Aborts when anything fails. */
void fixture_new(void);
/* For a child: loop and instance of its own over the same folder and shared memory. The parent has not started. */
void fixture_child(void);

/* Brings the migrations of a plugin of this name up to date, as the core does it. */
int fixture_migrate(const char *owner, const struct bp_migration *migrations, unsigned *ret_applied);

/* On the test's own stack: a statement without rows, its status. */
int fixture_query(const struct bp_statement *statement, const struct bp_db_value *values, size_t count);
int fixture_exec(const char *sql);
/* SELECT of one integer, with a connection of its own. Aborts when there is none. */
int64_t fixture_integer(const char *sql);
/* <folder>/<name>; valid until the fourth next call. */
const char *fixture_path(const char *name);

/* Jobs that wait in a lane: as it says, and as the gauge of that queue ("read", "write") shows. */
unsigned fixture_waiting(struct lane *lane, const char *queue);

#endif
