/* SPDX-License-Identifier: MIT */
/*
 * A Postgres that dies, stalls, has no connection left, takes no writes: requests are refused with 503 and Retry-After (those that can be answered are), the
 * server recovers by itself within five seconds, no acknowledged write is lost, no refused one takes place, nobody gets another's rows.
 */
#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"
#include "tests/support/service.h"

TestSuite(postgres, .timeout = 280);

static struct site site;

Test(postgres, is_killed_and_restarted)
{
    site_start(&site, &(struct site_options){.way = SITE_DIRECT});
    for (unsigned round = 0; round < site_rounds(10); round++) {
        postgres_kill(&site.postgres);
        site_expect_down(&site);
        postgres_again(&site.postgres);
        site_expect_back(&site);
    }
    site_end(&site);
}

Test(postgres, is_shut_down_and_started)
{
    site_start(&site, &(struct site_options){.way = SITE_DIRECT});
    for (unsigned round = 0; round < site_rounds(10); round++) {
        postgres_halt(&site.postgres);
        site_expect_down(&site);
        postgres_again(&site.postgres);
        site_expect_back(&site);
    }
    site_end(&site);
}

/* So quick that nobody may notice more than a few refusals. */
Test(postgres, sessions_are_terminated_again_and_again)
{
    site_start(&site, &(struct site_options){.way = SITE_DIRECT});
    for (unsigned round = 0; round < 10 * site_rounds(10); round++) {
        postgres_execute(site.superuser,
                         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'backplane'");
        cr_expect(clients_wait_served(site.clients, 1, SITE_BACK_MILLISECONDS));
    }
    site_expect_back(&site);
    site_end(&site);
}

Test(postgres, stalls)
{
    site_start(&site, &(struct site_options){.way = SITE_DIRECT,
                                             .arguments = {"--set", "plugins.main.statement_timeout=500ms"}});
    for (unsigned round = 0; round < site_rounds(5); round++) {
        postgres_pause(&site.postgres);
        site_expect_down(&site);
        postgres_resume(&site.postgres);
        site_expect_back(&site);
    }
    site_end(&site);
}

/* For less than a statement may take: nobody is refused anything. */
Test(postgres, hesitates)
{
    site_start(&site, &(struct site_options){.way = SITE_DIRECT});
    for (unsigned round = 0; round < 3 * site_rounds(10); round++) {
        long long end = service_milliseconds() + 300;
        postgres_pause(&site.postgres);
        while (service_milliseconds() < end)
            cr_assert_eq(site_status(&site, "/health/live", NULL), 200);
        postgres_resume(&site.postgres);
        cr_expect(clients_wait_served(site.clients, 5, SITE_BACK_MILLISECONDS));
    }
    cr_expect_eq(clients_refused(site.clients) + clients_unknown(site.clients) + clients_timed_out(site.clients), 0);
    site_end(&site);
}

enum { SLOTS = 12, RESERVED = 3 };

/* Takes every connection that ordinary roles may have, one of them as the superuser: it ends the server's until that has none. */
static unsigned take_connections(PGconn *taken[SLOTS])
{
    char url[POSTGRES_URL_SIZE + 32];
    long long end = service_milliseconds() + SITE_DOWN_MILLISECONDS;
    unsigned count = 1;
    PGconn *superuser = taken[0] = PQconnectdb(site.superuser);
    cr_assert_eq(PQstatus(superuser), CONNECTION_OK, "%s", PQerrorMessage(superuser));
    snprintf(url, sizeof(url), "%s?application_name=hog", site.database);
    while (count < SLOTS - RESERVED && service_milliseconds() < end) {
        PGconn *connection = PQconnectdb(url);
        if (PQstatus(connection) == CONNECTION_OK) {
            taken[count++] = connection;
            continue;
        }
        cr_assert(strstr(PQerrorMessage(connection), "remaining connection slots") ||
                      strstr(PQerrorMessage(connection), "too many clients"),
                  "%s", PQerrorMessage(connection));
        PQfinish(connection);
        PQclear(PQexec(superuser, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                  "WHERE usename = 'backplane' AND application_name <> 'hog'"));
    }
    return count;
}

Test(postgres, has_no_connection_left)
{
    PGconn *taken[SLOTS];
    site_start(&site, &(struct site_options){.way = SITE_DIRECT,
                                             .postgres = "max_connections = 12\n",
                                             .arguments = {"--set", "server.job_workers=0"}});
    for (unsigned round = 0; round < site_rounds(5); round++) {
        unsigned count = take_connections(taken);
        cr_expect_eq(count, SLOTS - RESERVED);
        site_expect_down(&site);
        for (unsigned i = 0; i < count; i++)
            PQfinish(taken[i]);
        site_expect_back(&site);
    }
    site_end(&site);
}

/* As a replica that was promoted wrongly, or a disk that is full: what reads is served. */
Test(postgres, takes_no_writes)
{
    site_start(&site, &(struct site_options){.way = SITE_DIRECT});
    for (unsigned round = 0; round < site_rounds(5); round++) {
        postgres_set(&site.postgres, "default_transaction_read_only = on");
        cr_expect(clients_wait_refused(site.clients, 3 * SITE_CLIENTS, SITE_DOWN_MILLISECONDS));
        for (int i = 0; i < 10; i++)
            cr_expect_eq(site_status(&site, "/api/v1/todos", clients_authorization(site.clients)), 200);
        cr_expect_eq(site_status(&site, "/health/live", NULL), 200);
        postgres_set(&site.postgres, "default_transaction_read_only = off");
        site_expect_back(&site);
    }
    site_end(&site);
}

/* Somebody alters a table, and does not come to an end. */
Test(postgres, a_table_is_locked)
{
    site_start(&site, &(struct site_options){.way = SITE_DIRECT,
                                             .arguments = {"--set", "plugins.main.lock_timeout=200ms", "--set",
                                                           "plugins.main.statement_timeout=500ms"}});
    for (unsigned round = 0; round < site_rounds(5); round++) {
        PGconn *other = PQconnectdb(site.database);
        cr_assert_eq(PQstatus(other), CONNECTION_OK, "%s", PQerrorMessage(other));
        PGresult *result = PQexec(other, "BEGIN; LOCK TABLE todos IN ACCESS EXCLUSIVE MODE");
        cr_assert_eq(PQresultStatus(result), PGRES_COMMAND_OK, "%s", PQerrorMessage(other));
        PQclear(result);
        cr_expect(clients_wait_refused(site.clients, 2 * SITE_CLIENTS, SITE_DOWN_MILLISECONDS));
        cr_expect_eq(site_status(&site, "/health/live", NULL), 200);
        PQfinish(other);
        site_expect_back(&site);
    }
    site_end(&site);
}
