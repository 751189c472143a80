/* SPDX-License-Identifier: MIT */
/* A pgbouncer in transaction mode, as hosted poolers are, in front of a test's cluster. Every database of that is behind it by its own name. */
#ifndef SUPPORT_PGBOUNCER_H
#define SUPPORT_PGBOUNCER_H

#include "tests/support/postgres.h"
#include "tests/support/service.h"

struct test_pgbouncer {
    pid_t pid;
    int port;
    char folder[SERVICE_FOLDER_SIZE]; /* pgbouncer.ini, log */
};

/* settings: more lines of [pgbouncer]; may be NULL. */
void pgbouncer_start(struct test_pgbouncer *pgbouncer, const struct test_postgres *postgres, const char *settings);
void pgbouncer_stop(struct test_pgbouncer *pgbouncer);
/* kill -9; pgbouncer_again() starts it on the same port. */
void pgbouncer_kill(struct test_pgbouncer *pgbouncer);
void pgbouncer_again(struct test_pgbouncer *pgbouncer);
void pgbouncer_url(const struct test_pgbouncer *pgbouncer, const char *role, const char *database,
                   char ret_url[POSTGRES_URL_SIZE]);

#endif
