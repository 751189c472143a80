/* SPDX-License-Identifier: MIT */
/* Jobs, from the transaction that enqueues them to what became of them; they are those of the plugin jobber.c. On every database. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

/* JOBBER, QUEUE: options of the plugins. */
#define CONFIG_OF(JOB_WORKERS, JOBBER, QUEUE)                                                                        \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"        \
    "  job_workers = " JOB_WORKERS "; plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                   \
    "plugins: ( { use = \"health\"; }, { use = \"jobber\"; " JOBBER " }, { use = \"queue\"; " QUEUE " },\n"          \
    "  { use = \"sqlite\"; name = \"main\"; unless = \"DATABASE_URL\"; },\n"                                         \
    "  { use = \"postgres\"; name = \"main\"; when = \"DATABASE_URL\"; url = \"${DATABASE_URL}\"; migrate = true;\n" \
    "    direct_url = \"${DIRECT_URL}\"; } );\n"                                                                     \
    "pipelines: { rest = (); };\n"                                                                                   \
    "routes: ( { match = \"/*\"; pipeline = \"rest\"; } );\n"
#define CONFIG(JOBBER, QUEUE) CONFIG_OF("1", JOBBER, QUEUE)
/* Nobody runs jobs. */
#define CONFIG_IDLE(JOBBER, QUEUE) CONFIG_OF("0", JOBBER, QUEUE)

TestSuite(queue, .timeout = 120);

static void begin_in(struct test_server *server, const char *config, const char *folder)
{
    server_start(server, &(struct server_options){.config = config, .folder = folder, .database = true});
}

static void begin(struct test_server *server, const char *config)
{
    begin_in(server, config, NULL);
}

/* Another configuration on the same database. */
static void begin_again(struct test_server *server, const char *config)
{
    char folder[64];
    snprintf(folder, sizeof(folder), "%s", server->folder);
    server_stop_keep(server);
    begin_in(server, config, folder);
}

/* The id of the job; free() it. */
static char *post(const struct test_server *server, const char *body)
{
    struct http_reply reply;
    http_call(server->port, "POST", "/jobs", NULL, body, &reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    json_t *root = http_json(&reply);
    char *id = strdup(http_json_text(root, "data.id"));
    json_decref(root);
    http_reply_free(&reply);
    return id;
}

static void enqueue(const struct test_server *server, const char *body)
{
    free(post(server, body));
}

static bool cancel(const struct test_server *server, const char *key)
{
    char body[64];
    struct http_reply reply;
    snprintf(body, sizeof(body), "{\"unique\":\"%s\"}", key);
    http_call(server->port, "POST", "/jobs/cancel", NULL, body, &reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    bool found = strstr(reply.body, "\"found\":true") != NULL;
    http_reply_free(&reply);
    return found;
}

/* How many rows fulfil the condition; and waits until there are so many. */
static long long count(const struct test_server *server, const char *table, const char *condition)
{
    char sql[512];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE %s", table, condition);
    return database_integer(server, sql);
}

static void wait_count(const struct test_server *server, const char *table, const char *condition, long long wanted)
{
    char sql[512];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE %s", table, condition);
    database_wait(server, sql, wanted);
}

static void expect_text(const struct test_server *server, const char *sql, const char *wanted)
{
    char *text = database_ask(server, sql);
    cr_expect_str_eq(text, wanted, "%s: %s", sql, text);
    free(text);
}

static void touch(const struct test_server *server, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", server->folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file && fclose(file) == 0);
}

/* Milliseconds from one column to another of the only job, on either database. */
static long long milliseconds(const struct test_server *server, const char *from, const char *to)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             database_kind() == DATABASE_SQLITE ? "SELECT %s - %s FROM jobs"
                                                : "SELECT (extract(epoch FROM %s - %s) * 1000)::bigint FROM jobs",
             to, from);
    return database_integer(server, sql);
}

Test(queue, commit_is_a_job_and_rollback_none)
{
    struct test_server server;
    begin(&server, CONFIG("", ""));
    enqueue(&server, "{\"name\":\"undone\",\"end\":\"rollback\"}");
    enqueue(&server, "{\"name\":\"alone\"}");
    enqueue(&server, "{\"name\":\"together\",\"end\":\"commit\",\"count\":3}");
    enqueue(&server, "{\"name\":\"again\",\"mode\":\"fail-once\"}");
    wait_count(&server, "jobs", "state = 'scheduled' AND attempt = 1", 1);
    wait_count(&server, "jobs", "state = 'done'", 4);
    cr_expect_eq(count(&server, "runs", "name = 'alone'"), 1);
    cr_expect_eq(count(&server, "runs", "name = 'together'"), 3);
    cr_expect_eq(count(&server, "runs", "name = 'undone'"), 0);
    cr_expect_eq(count(&server, "runs", "name = 'again'"), 1);
    cr_expect_eq(count(&server, "jobs", "1 = 1"), 5);
    expect_text(&server, "SELECT reason FROM jobs WHERE state = 'scheduled'", "BP_ERROR");
    server_stop(&server);
}

Test(queue, one_with_a_key)
{
    struct test_server server;
    begin(&server, CONFIG_IDLE("", ""));
    char *first = post(&server, "{\"name\":\"first\",\"unique\":\"k\",\"runAt\":4102444800000}");
    char *same = post(&server, "{\"name\":\"second\",\"unique\":\"k\"}");
    cr_expect_str_eq(first, same);
    expect_text(&server, "SELECT payload FROM jobs", "{\"name\":\"first\",\"mode\":\"\"}");
    char *other = post(&server, "{\"name\":\"third\",\"unique\":\"k\",\"replace\":true,\"priority\":7}");
    cr_expect_str_neq(first, other);
    cr_expect_eq(count(&server, "jobs", "1 = 1"), 1);
    expect_text(&server, "SELECT payload FROM jobs WHERE state = 'waiting' AND priority = 7",
                "{\"name\":\"third\",\"mode\":\"\"}");
    cr_expect(cancel(&server, "k"));
    cr_expect_not(cancel(&server, "k"));
    cr_expect_not(cancel(&server, "never"));
    expect_text(&server, "SELECT state FROM jobs", "cancelled");
    enqueue(&server, "{\"name\":\"fourth\",\"unique\":\"k\"}");
    cr_expect_eq(count(&server, "jobs", "1 = 1"), 2);
    begin_again(&server, CONFIG("", ""));
    wait_count(&server, "runs", "name = 'fourth'", 1);
    cr_expect_eq(count(&server, "runs", "1 = 1"), 1);
    free(first);
    free(same);
    free(other);
    server_stop(&server);
}

/* What is asked for while a job of that key runs comes after it, when it is to replace it. */
Test(queue, one_with_a_key_that_runs)
{
    struct test_server server;
    begin(&server, CONFIG("", ""));
    char *first = post(&server, "{\"name\":\"first\",\"unique\":\"k\",\"mode\":\"until-go\"}");
    wait_count(&server, "runs", "name = 'first'", 1);
    char *same = post(&server, "{\"name\":\"ignored\",\"unique\":\"k\"}");
    char *next = post(&server, "{\"name\":\"next\",\"unique\":\"k\",\"replace\":true}");
    char *last = post(&server, "{\"name\":\"last\",\"unique\":\"k\",\"replace\":true}");
    cr_expect_str_eq(first, same);
    cr_expect_str_neq(first, next);
    cr_expect_str_neq(next, last);
    cr_expect_eq(count(&server, "jobs", "state = 'running'"), 1);
    touch(&server, "go");
    wait_count(&server, "runs", "name = 'last'", 1);
    wait_count(&server, "jobs", "state = 'done'", 1);
    cr_expect_eq(count(&server, "runs", "1 = 1"), 2);
    cr_expect_eq(count(&server, "jobs", "1 = 1"), 1);
    free(first);
    free(same);
    free(next);
    free(last);
    server_stop(&server);
}

/* One that runs goes on, and is not tried again. */
Test(queue, cancelled_while_it_runs)
{
    struct test_server server;
    begin(&server, CONFIG("retry_after = \"10ms\"; timeout = \"1s\";", ""));
    enqueue(&server, "{\"name\":\"runs\",\"unique\":\"k\",\"mode\":\"sleep\"}");
    wait_count(&server, "runs", "name = 'runs'", 1);
    cr_expect_not(cancel(&server, "k"));
    wait_count(&server, "jobs", "state = 'cancelled'", 1);
    expect_text(&server, "SELECT reason FROM jobs", "BP_TIMEOUT");
    cr_expect_eq(count(&server, "runs", "1 = 1"), 1);
    server_stop(&server);
}

/* The times of the attempts are what the database says. */
Test(queue, retries)
{
    struct test_server server;
    begin(&server, CONFIG("retry_after = \"20s\"; attempts = 2;", ""));
    enqueue(&server, "{\"name\":\"fails\",\"mode\":\"why\"}");
    wait_count(&server, "jobs", "state = 'scheduled'", 1);
    long long wait = milliseconds(&server, "started_at", "run_at");
    cr_expect(wait >= 10000 && wait < 25000, "%lld", wait);
    expect_text(&server, "SELECT reason FROM jobs", "The other side said no");
    database_execute(&server, database_kind() == DATABASE_SQLITE ? "UPDATE jobs SET run_at = 0"
                                                                 : "UPDATE jobs SET run_at = to_timestamp(0)");
    wait_count(&server, "jobs", "state = 'dead'", 1);
    cr_expect_eq(count(&server, "jobs", "attempt = 2 AND worker IS NULL AND finished_at IS NOT NULL"), 1);
    cr_expect_eq(count(&server, "runs", "1 = 1"), 2);
    server_stop(&server);
}

Test(queue, how_it_ends)
{
    static const struct {
        const char *body, *state, *reason;
    } cases[] = {{"{\"name\":\"x\",\"mode\":\"dead\"}", "dead", "Nobody is there"},
                 {"{\"name\":\"x\",\"mode\":\"later\"}", "scheduled", "BP_ERROR"},
                 {"{\"name\":\"x\",\"mode\":\"sleep\"}", "scheduled", "BP_TIMEOUT"}};
    struct test_server server;
    begin(&server, CONFIG("timeout = \"500ms\";", ""));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char sql[128], *id = post(&server, cases[i].body);
        snprintf(sql, sizeof(sql), "attempt = 1 AND state = '%s'", cases[i].state);
        wait_count(&server, "jobs", sql, 1);
        expect_text(&server, "SELECT reason FROM jobs", cases[i].reason);
        database_execute(&server, "DELETE FROM jobs");
        free(id);
    }
    /* As late as the function said; but that is beyond the age that it may reach. */
    begin_again(&server, CONFIG("max_age = \"1h\";", ""));
    enqueue(&server, "{\"name\":\"x\",\"mode\":\"later\"}");
    wait_count(&server, "jobs", "state = 'dead' AND attempt = 1", 1);
    server_stop(&server);
}

/* A process that dies takes no job with it: the one that replaces it knows whose jobs were its predecessor's. */
Test(queue, a_worker_that_dies)
{
    struct test_server server;
    pid_t pid;
    begin(&server, CONFIG("", ""));
    enqueue(&server, "{\"name\":\"killed\",\"mode\":\"until-go\"}");
    wait_count(&server, "runs", "attempt = 1", 1);
    cr_assert_eq(server_job_workers(&server, &pid, 1), 1);
    cr_assert_eq(kill(pid, SIGKILL), 0);
    wait_count(&server, "runs", "attempt = 2", 1);
    touch(&server, "go");
    wait_count(&server, "jobs", "state = 'done' AND attempt = 2", 1);
    cr_expect_eq(count(&server, "jobs", "1 = 1"), 1);
    cr_expect_eq(count(&server, "job_workers", "1 = 1"), 1);
    server_stop(&server);
}

/* What crashes its worker each time ends among the dead, and others are run all the same. */
Test(queue, a_job_that_crashes)
{
    struct test_server server;
    begin(&server, CONFIG("attempts = 2;", ""));
    enqueue(&server, "{\"name\":\"poison\",\"mode\":\"crash\"}");
    wait_count(&server, "jobs", "state = 'dead' AND attempt = 2", 1);
    expect_text(&server, "SELECT reason FROM jobs", "The worker died");
    cr_expect_eq(count(&server, "runs", "name = 'poison'"), 2);
    enqueue(&server, "{\"name\":\"healthy\"}");
    wait_count(&server, "runs", "name = 'healthy'", 1);
    server_stop(&server);
}

/* A machine that is gone: its lease ends. */
Test(queue, a_lease_that_ends)
{
    struct test_server server;
    begin(&server, CONFIG_IDLE("", ""));
    enqueue(&server, "{\"name\":\"orphan\"}");
    enqueue(&server, "{\"name\":\"kept\"}");
    bool sqlite = database_kind() == DATABASE_SQLITE;
    char sql[512];
    snprintf(sql, sizeof(sql), "INSERT INTO job_workers (id, started_at, lease_until) VALUES (%s, %s, %s)",
             sqlite ? "x'00000000000000000000000000000001'" : "'00000000-0000-0000-0000-000000000001'",
             sqlite ? "0" : "now()", sqlite ? "4102444800000" : "'2100-01-01'");
    database_execute(&server, sql);
    snprintf(sql, sizeof(sql),
             "UPDATE jobs SET state = 'running', attempt = 1, worker = %s WHERE payload LIKE '%%orphan%%'",
             sqlite ? "x'00000000000000000000000000000002'" : "'00000000-0000-0000-0000-000000000002'");
    database_execute(&server, sql);
    snprintf(sql, sizeof(sql),
             "UPDATE jobs SET state = 'running', attempt = 1, worker = %s WHERE payload LIKE '%%kept%%'",
             sqlite ? "x'00000000000000000000000000000001'" : "'00000000-0000-0000-0000-000000000001'");
    database_execute(&server, sql);
    begin_again(&server, CONFIG("", ""));
    wait_count(&server, "jobs", "state = 'done' AND attempt = 2", 1);
    cr_expect_eq(count(&server, "runs", "name = 'orphan'"), 1);
    cr_expect_eq(count(&server, "jobs", "state = 'running' AND attempt = 1"), 1);
    database_execute(&server, sqlite ? "UPDATE job_workers SET lease_until = 0 WHERE lease_until = 4102444800000"
                                     : "UPDATE job_workers SET lease_until = now() WHERE lease_until = '2100-01-01'");
    wait_count(&server, "runs", "name = 'kept'", 1);
    server_stop(&server);
}

/* What runs when the server stops, and does not end in time, waits again, as if it had never been tried. */
Test(queue, stopped)
{
    struct test_server server;
    begin(&server, CONFIG_OF("1; drain_timeout = \"100ms\"", "", ""));
    enqueue(&server, "{\"name\":\"long\",\"mode\":\"until-go\"}");
    wait_count(&server, "runs", "name = 'long'", 1);
    begin_again(&server, CONFIG("", ""));
    wait_count(&server, "runs", "name = 'long'", 2);
    cr_expect_eq(count(&server, "runs", "attempt = 1"), 2);
    cr_expect_eq(count(&server, "job_workers", "1 = 1"), 1);
    /* And with time enough it ends. */
    touch(&server, "go");
    begin_again(&server, CONFIG_IDLE("", ""));
    cr_expect_eq(count(&server, "jobs", "state = 'done' AND attempt = 1"), 1);
    cr_expect_eq(count(&server, "job_workers", "1 = 1"), 0);
    server_stop(&server);
}

Test(queue, priorities_limits_and_pauses)
{
    struct test_server server;
    begin(&server, CONFIG_IDLE("", ""));
    for (int priority = -1; priority <= 1; priority++) {
        char body[128];
        snprintf(body, sizeof(body), "{\"name\":\"p%d\",\"priority\":%d}", priority, priority);
        enqueue(&server, body);
    }
    enqueue(&server, "{\"kind\":\"jobber.few\",\"name\":\"few\",\"mode\":\"until-go\",\"count\":5}");
    database_execute(&server, "INSERT INTO job_queues (name, paused) VALUES ('default', '1')");
    begin_again(&server,
                CONFIG_OF("2", "", "at_a_time = 1; queues = ( { name = \"few\"; at_a_time = 3; limit = 2; } );"));
    wait_count(&server, "runs", "name = 'few'", 2);
    cr_expect_eq(count(&server, "jobs", "queue = 'few' AND state = 'running'"), 2);
    cr_expect_eq(count(&server, "jobs", "queue = 'default' AND state = 'waiting'"), 3);
    touch(&server, "go");
    wait_count(&server, "jobs", "queue = 'few' AND state = 'done'", 5);
    cr_expect_eq(count(&server, "jobs", "queue = 'default' AND state = 'waiting'"), 3);
    begin_again(&server, CONFIG("", "at_a_time = 1;"));
    database_execute(&server, "UPDATE job_queues SET paused = '0'");
    wait_count(&server, "jobs", "queue = 'default' AND state = 'done'", 3);
    expect_text(&server, "SELECT name FROM runs WHERE name LIKE 'p%' ORDER BY number", "p1");
    expect_text(&server, "SELECT name FROM runs WHERE name LIKE 'p%' ORDER BY number DESC", "p-1");
    server_stop(&server);
}

/* Each time of a schedule is one job, of however many servers; what waits from a failed attempt is no hindrance. */
Test(queue, schedules)
{
    struct test_server server;
    begin(&server, CONFIG_OF("3", "cron = \"@every 100ms\";", ""));
    wait_count(&server, "job_schedules", "kind = 'jobber.tick' AND cron = '@every 100ms' AND last_at IS NOT NULL", 1);
    for (long long begun = 0; count(&server, "runs", "1 = 1") < 5;)
        cr_assert(service_patience(&begun, 30000));
    /* No time twice. */
    cr_expect_eq(database_integer(&server, "SELECT count(*) - count(DISTINCT job) FROM runs"), 0);
    /* Missed: made up for, once. */
    database_execute(&server, "DELETE FROM runs");
    const char *long_ago = database_kind() == DATABASE_SQLITE ? "UPDATE job_schedules SET next_at = 86400000"
                                                              : "UPDATE job_schedules SET next_at = '1970-01-02'";
    begin_again(&server, CONFIG("cron = \"0 0 1 1 *\"; skip_missed = true;", ""));
    wait_count(&server, "job_schedules", "cron = '0 0 1 1 *'", 1);
    database_execute(&server, "DELETE FROM runs");
    database_execute(&server, long_ago);
    wait_count(&server, "job_schedules",
               database_kind() == DATABASE_SQLITE ? "next_at > 86400000" : "next_at > '1970-01-02'", 1);
    begin_again(&server, CONFIG("cron = \"0 0 1 1 *\";", ""));
    cr_expect_eq(count(&server, "runs", "1 = 1"), 0);
    database_execute(&server, long_ago);
    wait_count(&server, "runs", "name = 'tick'", 1);
    wait_count(&server, "job_schedules",
               database_kind() == DATABASE_SQLITE ? "next_at > 86400000" : "next_at > '1970-01-02'", 1);
    cr_expect_eq(count(&server, "runs", "1 = 1"), 1);
    server_stop(&server);
}

/* What ended is kept for as long as the options say; what no plugin knows waits. */
Test(queue, what_is_kept)
{
    struct test_server server;
    begin(&server, CONFIG("", "keep_done = \"0s\"; measure = \"10ms\";"));
    enqueue(&server, "{\"name\":\"x\"}");
    database_execute(
        &server, database_kind() == DATABASE_SQLITE
                     ? "INSERT INTO jobs (id, kind, queue, state, priority, attempts, enqueued_at, run_at) "
                       "VALUES (x'0000000000000000000000000000000a', 'not.known', 'default', 'waiting', 100, 1, 0, 0)"
                     : "INSERT INTO jobs (id, kind, queue, state, priority, attempts, enqueued_at, run_at) "
                       "VALUES ('00000000-0000-0000-0000-00000000000a', 'not.known', 'default', 'waiting', "
                       "100, 1, '1970-01-01', '1970-01-01')");
    enqueue(&server, "{\"name\":\"y\"}");
    wait_count(&server, "runs", "1 = 1", 2);
    wait_count(&server, "jobs", "kind = 'jobber.work'", 0);
    cr_expect_eq(count(&server, "jobs", "kind = 'not.known' AND state = 'waiting' AND attempt = 0"), 1);
    server_stop(&server);
}

static bool shows(const struct test_server *server, const char *line)
{
    struct http_reply reply;
    http_call(server->port, "GET", "/metrics", NULL, NULL, &reply);
    bool found = strstr(reply.body, line) != NULL;
    http_reply_free(&reply);
    return found;
}

/* Also where nobody runs jobs: that is what one wants to be told of. */
Test(queue, how_much_there_is)
{
    struct test_server server;
    begin(&server, CONFIG_IDLE("", "measure = \"10ms\"; }, { use = \"metrics\";"));
    enqueue(&server, "{\"name\":\"x\"}");
    enqueue(&server, "{\"name\":\"y\"}");
    for (long long begun = 0; !shows(&server, "\nbackplane_queue_depth{queue=\"default\",state=\"waiting\"} 2\n");)
        cr_assert(service_patience(&begun, 10000));
    while (shows(&server, "\nbackplane_queue_oldest_job_age_seconds{queue=\"default\"} 0\n"))
        ;
    cr_expect(shows(&server, "\nbackplane_queue_depth{queue=\"default\",state=\"running\"} 0\n"));
    server_stop(&server);
}

/* Workers are told of each job: they would look for it a minute later only. */
Test(queue, told_at_once)
{
    struct test_server server, other;
    char body[128];
    begin(&server, CONFIG("retry_after = \"50ms\";", "poll = \"1m\";"));
    enqueue(&server, "{\"name\":\"alone\"}");
    enqueue(&server, "{\"name\":\"committed\",\"end\":\"commit\"}");
    enqueue(&server, "{\"name\":\"again\",\"mode\":\"fail-once\"}");
    snprintf(body, sizeof(body), "{\"name\":\"soon\",\"runAt\":%lld}", (long long)time(NULL) * 1000 + 1500);
    enqueue(&server, body);
    wait_count(&server, "jobs", "state = 'done'", 4);
    cr_expect_eq(count(&server, "runs", "1 = 1"), 5);
    if (database_kind() != DATABASE_SQLITE) {
        /* By the database, when only another server runs jobs. */
        server_start(&other,
                     &(struct server_options){.config = CONFIG_IDLE("", ""), .database = true, .replica_of = &server});
        enqueue(&other, "{\"name\":\"elsewhere\"}");
        wait_count(&server, "runs", "name = 'elsewhere'", 1);
        server_stop(&other);
    }
    server_stop(&server);
}
