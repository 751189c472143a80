/* SPDX-License-Identifier: MIT */
/*
 * Which database the servers of a test program run on: TEST_DATABASE in its environment is "sqlite" (or unset), "postgres", or "pgbouncer" (Postgres through
 * it; both below with_services). The API's tests run on each, and look into it with these.
 */
#ifndef SUPPORT_DATABASE_H
#define SUPPORT_DATABASE_H

#include "tests/support/server.h"

enum database_kind { DATABASE_SQLITE, DATABASE_POSTGRES, DATABASE_PGBOUNCER };

enum database_kind database_kind(void);
/* A new migrated database for a server: its own URL and the one that avoids the pooler; both "" on SQLite. When the folder has been a server's, its database. */
void database_prepare(const char *folder, char ret_url[SERVER_URL_SIZE], char ret_direct[SERVER_URL_SIZE]);

/* Runs a statement that both databases understand, on a connection of its own: the first column of the first row as text ("" when there is none;
 * booleans are 0 and 1 or f and t); free() it. Fails the test when the database refuses it. */
char *database_ask(const struct test_server *server, const char *sql);
void database_execute(const struct test_server *server, const char *sql);
long long database_integer(const struct test_server *server, const char *sql);
/* Waits until it is that integer; fails the test when it is not in time. */
void database_wait(const struct test_server *server, const char *sql, long long expected);
/* Gives the function the first two columns of every row, as text (the second "" when there is one only). */
void database_each(const struct test_server *server, const char *sql,
                   void (*function)(void *argument, const char *first, const char *second), void *argument);

#endif
