/* SPDX-License-Identifier: MIT */
/* The plugin, with a database of its own in the cluster of with_services. */
#ifndef POSTGRES_TESTS_FIXTURE_H
#define POSTGRES_TESTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "connection.h"
#include "database.h"
#include "tests/support/fixture.h"
#include "tests/support/postgres.h"

struct fixture {
    char url[POSTGRES_URL_SIZE];   /* of the database, as the role "backplane" */
    char admin[POSTGRES_URL_SIZE]; /* of the same, as the superuser */
    struct database *database;
    struct bp_service service;
};
/* One a process. */
extern struct fixture fixture;

/* The instance with default options and fixture.url, not yet started; tests may change options until fixture_start(). */
void fixture_new(void);
/* Options as in a configuration, from then on those of the instance. url may point anywhere. */
void fixture_use_url(const char *url);
/* init and start: the status. */
int fixture_start(void);

/* On the test's own stack: a statement without rows, its status. */
int fixture_query(const struct bp_statement *statement, const struct bp_db_value *values, size_t count);
/* With connections of their own, as the superuser. */
void fixture_execute(const char *sql);
int64_t fixture_integer(const char *sql);

#endif
