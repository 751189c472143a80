/* SPDX-License-Identifier: MIT */
/*
 * kill -9 at random while jobs are enqueued and run, of workers of either kind, of the whole server, of Postgres: every job whose transaction was committed ran
 * at least once, none whose transaction was rolled back did, no two of one key ran at once, each time of a schedule came once. Ten cycles by default, two hundred
 * with BACKPLANE_TEST_ALL=1. The jobs are those of tests/http/jobber.c.
 */
#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/postgres.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

enum { CLIENTS = 3, JOBS_MAX = 100000, MORE = 20, PATIENCE = 60000, KEYS = 3 };

#define CONFIG                                                                                                        \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"         \
    "  job_workers = 2; restart_backoff_max = \"200ms\"; plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n" \
    "plugins: ( { use = \"health\"; },\n"                                                                             \
    "  { use = \"jobber\"; cron = \"@every 1s\"; attempts = 1000; retry_after = \"10ms\"; retry_at_most = \"50ms\"; " \
    "},\n"                                                                                                            \
    "  { use = \"queue\"; lease = \"2s\"; poll = \"100ms\"; keep_done = \"1d\"; },\n"                                 \
    "  { use = \"sqlite\"; name = \"main\"; unless = \"DATABASE_URL\"; },\n"                                          \
    "  { use = \"postgres\"; name = \"main\"; when = \"DATABASE_URL\"; url = \"${DATABASE_URL}\"; migrate = true; } " \
    ");\n"                                                                                                            \
    "pipelines: { rest = (); };\n"                                                                                    \
    "routes: ( { match = \"/*\"; pipeline = \"rest\"; } );\n"

TestSuite(jobs, .timeout = 580);

static struct test_server server;
static struct test_postgres postgres;
static char url[POSTGRES_URL_SIZE]; /* "": SQLite */

enum fate { NOT_SENT, UNKNOWN, ROLLED_BACK, COMMITTED };

static struct client {
    pthread_t thread;
    unsigned number, sent;
    unsigned char fate[JOBS_MAX], runs[JOBS_MAX];
} clients[CLIENTS];
static atomic_uint acknowledged;
static atomic_bool stop;

/* Of every four jobs one is rolled back, and one shares its key with others, so that it may join one that waits. */
static bool is_rolled_back(unsigned n)
{
    return n % 4 == 1;
}

static bool is_alone(unsigned n)
{
    return n % 4 == 2;
}

static enum fate enqueue(const struct client *client, unsigned n, int *fd)
{
    char body[256], request[512], key[16] = "";
    struct http_reply reply;
    if (is_alone(n))
        snprintf(key, sizeof(key), "key-%u", n % KEYS);
    int len = snprintf(body, sizeof(body), "{\"name\":\"%u-%u\",\"mode\":\"%s\",\"unique\":\"%s\",\"end\":\"%s\"}",
                       client->number, n, is_alone(n) ? "alone" : "", key, is_rolled_back(n) ? "rollback" : "commit");
    len = snprintf(request, sizeof(request),
                   "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                   len, body);
    if (!http_send(*fd, request, (size_t)len) || !http_read(*fd, false, &reply)) {
        close(*fd);
        *fd = -1;
        return UNKNOWN;
    }
    unsigned status = reply.status;
    http_reply_free(&reply);
    return status != 201 ? UNKNOWN : is_rolled_back(n) ? ROLLED_BACK : COMMITTED;
}

static void *enqueue_all(void *argument)
{
    struct client *client = argument;
    int fd = -1;
    while (!atomic_load(&stop) && client->sent < JOBS_MAX) {
        if (fd < 0 && (fd = http_connect(server.port)) < 0) {
            (void)poll(NULL, 0, 5);
            continue;
        }
        unsigned n = client->sent++;
        client->fate[n] = (unsigned char)enqueue(client, n, &fd);
        if (client->fate[n] == COMMITTED)
            atomic_fetch_add(&acknowledged, 1);
        else if (client->fate[n] == UNKNOWN)
            (void)poll(NULL, 0, 5);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void start_clients(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].number = i;
        cr_assert_eq(pthread_create(&clients[i].thread, NULL, enqueue_all, &clients[i]), 0);
    }
}

static void wait_acknowledged(unsigned more)
{
    unsigned from = atomic_load(&acknowledged);
    for (long long begun = 0; atomic_load(&acknowledged) - from < more;)
        cr_assert(service_patience(&begun, PATIENCE), "only %u of %u jobs were enqueued",
                  atomic_load(&acknowledged) - from, more);
}

static void join_clients(void)
{
    atomic_store(&stop, true);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
}

static const char *drain_timeout = "server.drain_timeout=30s";

static void start_server(const char *folder)
{
    char line[POSTGRES_URL_SIZE + 16];
    snprintf(line, sizeof(line), "DATABASE_URL=%s", url);
    server_start(&server, &(struct server_options){.config = CONFIG,
                                                   .environment = (const char *[]){line, "LOG_LEVEL=warn", NULL},
                                                   .arguments = (const char *[]){"--set", drain_timeout, NULL},
                                                   .folder = folder});
}

static long long ask(const char *sql)
{
    if (!url[0])
        return database_integer(&server, sql);
    char *text = postgres_ask(url, sql);
    long long number = strtoll(text, NULL, 10);
    free(text);
    return number;
}

static void each(const char *sql, void (*function)(void *argument, const char *first, const char *second))
{
    if (url[0])
        postgres_each(url, sql, function, NULL);
    else
        database_each(&server, sql, function, NULL);
}

static void kill_one(size_t (*find)(const struct test_server *server, pid_t *ret_pids, size_t max), unsigned which)
{
    pid_t pids[8];
    size_t count = find(&server, pids, 8);
    if (count > 0)
        cr_assert_eq(kill(pids[which % count], SIGKILL), 0);
}

static void kill_something(unsigned cycle)
{
    char folder[sizeof(server.folder)];
    switch (cycle % 5) {
    case 0:
    case 2:
        kill_one(server_job_workers, cycle);
        break;
    case 1:
        kill_one(server_workers, cycle);
        break;
    case 3:
        if (url[0]) {
            postgres_kill(&postgres);
            postgres_again(&postgres);
        } else {
            kill_one(server_job_workers, 0);
            kill_one(server_job_workers, 1);
        }
        break;
    default:
        snprintf(folder, sizeof(folder), "%s", server.folder);
        server_kill(&server);
        start_server(folder);
        break;
    }
}

static void note_run(void *argument, const char *name, const char *nothing)
{
    unsigned number, n;
    (void)argument;
    (void)nothing;
    if (sscanf(name, "%u-%u", &number, &n) == 2 && number < CLIENTS && n < JOBS_MAX && clients[number].runs[n] < 255)
        clients[number].runs[n]++;
}

/* What became of a job, for a message. */
static const char *job_of(unsigned number, unsigned n)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT state || ', attempt ' || attempt || ', ' || coalesce(reason, 'no reason') FROM jobs "
             "WHERE CAST(payload AS text) LIKE '%%\"%u-%u\"%%'",
             number, n);
    return url[0] ? postgres_ask(url, sql) : database_ask(&server, sql);
}

static void check_runs(void)
{
    each("SELECT name, '' FROM runs", note_run);
    for (unsigned i = 0; i < CLIENTS; i++)
        for (unsigned n = 0; n < clients[i].sent; n++) {
            if (clients[i].fate[n] == ROLLED_BACK)
                cr_assert_eq(clients[i].runs[n], 0, "%u-%u was rolled back", i, n);
            if (clients[i].fate[n] == COMMITTED && !is_alone(n) &&
                clients[i].runs[n] == 0) /* else it may have joined another */
                cr_assert_fail("%u-%u was committed and did not run: %s", i, n, job_of(i, n));
        }
}

static void live_through_it(void)
{
    unsigned cycles = getenv("BACKPLANE_TEST_ALL") ? 200 : 10;
    start_server(NULL);
    start_clients();
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        wait_acknowledged(MORE);
        kill_something(cycle);
    }
    wait_acknowledged(MORE);
    join_clients();
    for (long long begun = 0;
         ask("SELECT count(*) FROM jobs WHERE kind = 'jobber.work' AND state NOT IN ('done', 'dead', 'cancelled')") >
         0;)
        cr_assert(
            service_patience(&begun, PATIENCE), "%lld jobs are not done",
            ask("SELECT count(*) FROM jobs WHERE kind = 'jobber.work' AND state NOT IN ('done', 'dead', 'cancelled')"));
    check_runs();
    cr_expect_eq(ask("SELECT count(*) FROM runs WHERE name = 'overlap'"), 0);
    cr_expect_gt(ask("SELECT count(*) FROM runs WHERE name LIKE '%-%' AND attempt = 1"), 0);
    cr_expect_eq(ask("SELECT count(*) FROM jobs WHERE state = 'dead'"), 0);
    cr_expect_geq(ask("SELECT count(*) FROM jobs WHERE kind = 'jobber.tick'"), 2);
    cr_expect_eq(ask("SELECT count(*) - count(DISTINCT run_at) FROM jobs WHERE kind = 'jobber.tick'"), 0);
    cr_assert_eq(server_stop(&server), 0);
}

Test(jobs, on_sqlite)
{
    live_through_it();
}

static void start_postgres(bool durable)
{
    char superuser[POSTGRES_URL_SIZE];
    postgres_start(&postgres, &(struct postgres_options){.durable = durable});
    postgres_url(&postgres, NULL, "postgres", superuser);
    postgres_database(superuser, "jobs", NULL);
    postgres_url(&postgres, "backplane", "jobs", url);
}

Test(jobs, on_postgres)
{
    start_postgres(true);
    live_through_it();
    postgres_stop(&postgres);
}

static void wait_until(const char *sql)
{
    for (long long begun = 0; ask(sql) == 0;)
        cr_assert(service_patience(&begun, PATIENCE), "never: %s", sql);
}

static void wait_deaf(void)
{
    int fd;
    for (long long begun = 0; (fd = http_connect(server.port)) >= 0; close(fd))
        cr_assert(service_patience(&begun, PATIENCE), "it still accepts connections");
}

/* The server is told to stop while what a worker has asked for is on its way: the worker waits for that, or, when there is no time for it, gives it back. */
static void stop_during_a_fetch(bool in_time)
{
    struct http_reply reply;
    char folder[sizeof(server.folder)];
    drain_timeout = in_time ? "server.drain_timeout=30s" : "server.drain_timeout=50ms";
    start_server(NULL);
    wait_until("SELECT (count(*) = 2)::int FROM job_workers");
    PGconn *other = PQconnectdb(url);
    PGresult *result = PQexec(other, "BEGIN; LOCK TABLE job_workers IN ACCESS EXCLUSIVE MODE");
    cr_assert_eq(PQresultStatus(result), PGRES_COMMAND_OK, "%s", PQerrorMessage(other));
    PQclear(result);
    http_call(server.port, "POST", "/jobs", NULL, "{\"name\":\"late\"}", &reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    http_reply_free(&reply);
    wait_until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE jobs%'");
    cr_assert_eq(kill(server.pid, SIGTERM), 0);
    if (in_time)
        wait_deaf();
    else
        cr_assert(server_wait_output(&server, "worker.aborted"));
    PQfinish(other);
    siginfo_t end;
    cr_assert_eq(waitid(P_PID, (id_t)server.pid, &end, WEXITED | WNOWAIT), 0); /* a second SIGTERM would be "at once" */
    snprintf(folder, sizeof(folder), "%s", server.folder);
    cr_expect_eq(server_stop_keep(&server), 0);
    cr_expect_eq(ask("SELECT count(*) FROM job_workers"), 0);
    cr_expect_eq(ask("SELECT count(*) FROM jobs WHERE kind = 'jobber.work' AND state = 'running'"), 0);
    start_server(folder);
    wait_until("SELECT count(*) FROM jobs WHERE kind = 'jobber.work' AND state = 'done' AND attempt = 1");
    cr_expect_eq(ask("SELECT count(*) FROM runs WHERE name = 'late'"), 1);
    cr_expect_eq(server_stop(&server), 0);
}

Test(jobs, stopped_while_they_are_fetched)
{
    start_postgres(false);
    stop_during_a_fetch(true);
    postgres_stop(&postgres);
}

Test(jobs, stopped_in_a_hurry_while_they_are_fetched)
{
    start_postgres(false);
    stop_during_a_fetch(false);
    postgres_stop(&postgres);
}
