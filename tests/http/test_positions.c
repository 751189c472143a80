/* SPDX-License-Identifier: MIT */
/* Postgres, where transactions do not end in the order in which they write: driven by hand, while a client of a server follows. */
#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events_site.h"
#include "tests/support/service.h"

TestSuite(positions, .timeout = 120);

enum { CONNECTIONS = 3 };
static PGconn *by_hand[CONNECTIONS];
static char owner[40];

static void start(void)
{
    site_start();
    json_t *root = site_call(ada, "GET", "/api/v1/auth/me", NULL, NULL, 200);
    snprintf(owner, sizeof(owner), "%s", http_json_text(root, "data.id"));
    json_decref(root);
    for (int i = 0; i < CONNECTIONS; i++) {
        by_hand[i] = PQconnectdb(site.database);
        cr_assert_eq(PQstatus(by_hand[i]), CONNECTION_OK, "%s", PQerrorMessage(by_hand[i]));
    }
}

static void stop(void)
{
    for (int i = 0; i < CONNECTIONS; i++)
        PQfinish(by_hand[i]);
    site_stop();
}

/* A number that the statement gives, 0 without a row. */
static long long run(int connection, const char *sql)
{
    PGresult *result = PQexec(by_hand[connection], sql);
    ExecStatusType status = PQresultStatus(result);
    cr_assert(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %s", sql,
              PQerrorMessage(by_hand[connection]));
    long long value = PQntuples(result) > 0 ? atoll(PQgetvalue(result, 0, 0)) : 0;
    PQclear(result);
    return value;
}

static void insert(int connection, char letter)
{
    char sql[400];
    snprintf(sql, sizeof(sql),
             "INSERT INTO todos (id, title, user_id, created_at, updated_at) VALUES"
             " ('0190a8b4-5c3e-7d21-9f60-00000000000%c', 'by hand', '%s', now(), now())",
             letter, owner);
    run(connection, sql);
}

static long long of_event(const char *column, char letter, int version)
{
    char sql[300];
    snprintf(sql, sizeof(sql),
             "SELECT %s FROM events WHERE subject_id = '0190a8b4-5c3e-7d21-9f60-00000000000%c'"
             " AND data LIKE '%%\"version\":%d,%%'",
             column, letter, version);
    return run(2, sql);
}

/* The last letters of the identifiers of what has changed. */
static long long changes(long long since, const char *wanted)
{
    char target[80], found[40] = "";
    size_t i;
    json_t *item;
    snprintf(target, sizeof(target), CHANGES "?since=%lld", since);
    json_t *root = site_call(ada, "GET", target, NULL, NULL, 200);
    json_array_foreach(http_json_at(root, "data.changes"), i, item)
    {
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s", http_json_text(item, "id") + 35);
    }
    cr_expect_str_eq(found, wanted, "since %lld: %s instead of %s", since, found, wanted);
    since = http_json_integer(root, "data.nextSince");
    json_decref(root);
    return since;
}

/* What is committed last comes last, although it was written first; and nobody who reads meanwhile misses it. */
Test(positions, are_given_in_the_order_of_commits, .init = start, .fini = stop)
{
    run(0, "BEGIN");
    insert(0, 'a');
    run(1, "BEGIN");
    insert(1, 'b');
    long long since = changes(0, "");
    run(1, "COMMIT");
    since = changes(since, "b");
    run(1, "BEGIN");
    insert(1, 'c');
    run(1, "ROLLBACK");
    insert(1, 'd');
    since = changes(since, "d");
    run(0, "COMMIT");
    since = changes(since, "a");
    cr_expect_eq(since, 3); /* what was undone has no position */
    cr_expect_lt(of_event("id", 'a', 1), of_event("id", 'b', 1));
    cr_expect_gt(of_event("position", 'a', 1), of_event("position", 'd', 1));
    changes(0, "bda");
    site_await("first", 3);
}

/* A transaction that began to write earlier changes a todo later than another one. */
Test(positions, of_one_subject_follow_its_versions, .init = start, .fini = stop)
{
    static const char update[] =
        "UPDATE todos SET version = version + 1 WHERE id = '0190a8b4-5c3e-7d21-9f60-00000000000a'";
    insert(0, 'a');
    run(1, "BEGIN");
    insert(1, 'b');
    run(0, "BEGIN");
    run(0, update);
    cr_assert_eq(PQsendQuery(by_hand[1], update), 1); /* waits for the other one */
    for (long long begun = 0;
         run(2, "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'") == 0;)
        cr_assert(service_patience(&begun, 10000));
    run(0, "COMMIT");
    PGresult *result = PQgetResult(by_hand[1]);
    cr_assert_eq(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    cr_assert_null(PQgetResult(by_hand[1]));
    changes(0, "a");
    run(1, "COMMIT");
    changes(0, "ba");
    cr_expect_lt(of_event("position", 'a', 2), of_event("position", 'a', 3));
    cr_expect_lt(of_event("position", 'a', 1), of_event("position", 'a', 2));
}

/* A user is deleted while somebody gives positions to what they wrote: nothing stays. */
Test(positions, of_a_user_who_is_gone_nothing_is_left, .init = start, .fini = stop)
{
    char sql[200];
    site_do(bob, "POST", TODOS, "{\"title\":\"his\"}", 201);
    run(0, "BEGIN");
    run(0, "SELECT position FROM event_head FOR UPDATE"); /* no worker is faster */
    insert(2, 'a');
    run(0, "SELECT events_number(10)");
    snprintf(sql, sizeof(sql), "DELETE FROM users WHERE id = '%s'", owner);
    cr_assert_eq(PQsendQuery(by_hand[1], sql), 1); /* waits for the one who gives positions */
    for (long long begun = 0; run(2, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                     " AND query LIKE 'DELETE FROM users%'") == 0;)
        cr_assert(service_patience(&begun, 10000));
    run(0, "COMMIT");
    for (PGresult *result; (result = PQgetResult(by_hand[1]));) {
        cr_expect_eq(PQresultStatus(result), PGRES_COMMAND_OK, "%s", PQerrorMessage(by_hand[1]));
        PQclear(result);
    }
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM events WHERE user_id = '%s' AND type <> 'account.changed'", owner);
    cr_expect_eq(run(2, sql), 0);
    cr_expect_eq(run(2, "SELECT count(*) FROM events WHERE type = 'todo.created'"), 1); /* his */
}

/* Two that number at once: the second one goes on behind the first. Writers wait for neither. */
Test(positions, are_given_by_one_at_a_time, .init = start, .fini = stop)
{
    insert(2, 'a');
    run(0, "BEGIN");
    /* Unless a worker was faster; then there is nothing to number, and it holds no lock. */
    run(0, "SELECT position FROM event_head FOR UPDATE");
    run(0, "SELECT events_number(10)");
    insert(2, 'b');
    cr_assert_eq(PQsendQuery(by_hand[1], "SELECT events_number(10)"), 1);
    for (long long begun = 0; run(2, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                     " AND query = 'SELECT events_number(10)'") == 0;)
        cr_assert(service_patience(&begun, 10000));
    insert(2, 'c');
    run(0, "COMMIT");
    for (PGresult *result; (result = PQgetResult(by_hand[1]));)
        PQclear(result);
    changes(0, "abc");
    cr_expect_eq(run(2, "SELECT count(*) - count(DISTINCT position) FROM events"), 0);
    cr_expect_eq(run(2, "SELECT position FROM event_head"), run(2, "SELECT max(position) FROM events"));
    site_await("first", 3);
}
