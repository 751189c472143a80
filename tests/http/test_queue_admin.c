/* SPDX-License-Identifier: MIT */
/* Jobs and queues as administrators see them, over HTTP and on the command line. The server runs none, so that they stay as they are. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "build_info.h"
#include "tests/support/account.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

TestSuite(queue_admin, .timeout = 120);

#define JOBS "/api/v1/admin/jobs"
#define QUEUES "/api/v1/admin/queues"
#define NOBODY "00000000-0000-0000-0000-0000000000ff"

static void begin(struct test_server *server, struct account_client *ret_admin)
{
    server_start(server, &(struct server_options){.environment = (const char *[]){"JOB_WORKERS=0", NULL}});
    account_sign_up(server->port, "{\"email\":\"admin@example.com\",\"password\":\"Passw0rd!\"}", ret_admin);
    database_execute(server, "UPDATE users SET role = 'admin'");
    account_log_in(server->port, "{\"email\":\"admin@example.com\",\"password\":\"Passw0rd!\"}", ret_admin);
}

/* A row whose id ends in these two digits. */
static void insert(const struct test_server *server, const char *digits, const char *state, const char *key)
{
    char sql[512];
    bool sqlite = database_kind() == DATABASE_SQLITE;
    snprintf(
        sql, sizeof(sql),
        "INSERT INTO jobs (id, kind, queue, state, priority, attempt, attempts, unique_key, payload, reason, "
        "enqueued_at, run_at) VALUES (%s%s', 'some.kind', 'odd', '%s', 5, 3, 3, %s, '{\"a\":1}', 'It was wet', %s, %s)",
        sqlite ? "x'000000000000000000000000000000" : "'00000000-0000-0000-0000-0000000000", digits, state, key,
        sqlite ? "1700000000000" : "to_timestamp(1700000000)", sqlite ? "1700000000000" : "to_timestamp(1700000000)");
    database_execute(server, sql);
}

static json_t *expect(const struct test_server *server, const struct account_client *client, const char *method,
                      const char *target, unsigned status, const char *message)
{
    json_t *root;
    unsigned got = account_call(server->port, method, target, client, NULL, &root);
    cr_assert_eq(got, status, "%s %s: %u %s", method, target, got, http_json_text(root, "message"));
    cr_expect_str_eq(http_json_text(root, "message"), message, "%s %s: %s", method, target,
                     http_json_text(root, "message"));
    return root;
}

static void expect_only(const struct test_server *server, const struct account_client *client, const char *method,
                        const char *target, unsigned status, const char *message)
{
    json_decref(expect(server, client, method, target, status, message));
}

Test(queue_admin, over_http)
{
    struct test_server server;
    struct account_client admin, user;
    begin(&server, &admin);
    account_sign_up(server.port, "{\"email\":\"user@example.com\",\"password\":\"Passw0rd!\"}", &user);
    account_log_in(server.port, "{\"email\":\"user@example.com\",\"password\":\"Passw0rd!\"}", &user);
    static const char *const routes[][2] = {{"GET", JOBS},
                                            {"GET", JOBS "/" NOBODY},
                                            {"POST", JOBS "/" NOBODY "/retry"},
                                            {"POST", JOBS "/" NOBODY "/cancel"},
                                            {"GET", QUEUES},
                                            {"POST", QUEUES "/odd/pause"},
                                            {"POST", QUEUES "/odd/resume"}};
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        expect_only(&server, &user, routes[i][0], routes[i][1], 403, "Forbidden");
        expect_only(&server, NULL, routes[i][0], routes[i][1], 401, "Authentication required");
    }
    database_execute(&server, "DELETE FROM jobs");
    insert(&server, "01", "dead", "NULL");
    insert(&server, "02", "waiting", "'k'");
    insert(&server, "03", "running", "NULL");
    insert(&server, "04", "done", "NULL");
    insert(&server, "05", "dead", "'k'");
    insert(&server, "06", "scheduled", "NULL");

    json_t *root = expect(&server, &admin, "GET", JOBS "?state=dead&limit=1", 200, "Jobs retrieved successfully");
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 2);
    cr_expect_str_eq(http_json_text(root, "data.data.0.id"), "00000000-0000-0000-0000-000000000005"); /* the newest */
    cr_expect_str_eq(http_json_text(root, "data.data.0.state"), "dead");
    cr_expect_null(http_json_at(root, "data.data.0.payload"));
    json_decref(root);
    root = expect(&server, &admin, "GET", JOBS "?uniqueKey=k&state=waiting", 200, "Jobs retrieved successfully");
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 1);
    json_decref(root);

    root =
        expect(&server, &admin, "GET", JOBS "/00000000-0000-0000-0000-000000000001", 200, "Job retrieved successfully");
    cr_expect_str_eq(http_json_text(root, "data.kind"), "some.kind");
    cr_expect_str_eq(http_json_text(root, "data.reason"), "It was wet");
    cr_expect_str_eq(http_json_text(root, "data.runAt"), "2023-11-14T22:13:20.000Z");
    cr_expect(json_is_false(http_json_at(root, "data.known")));
    cr_expect(json_is_null(http_json_at(root, "data.payload")));
    json_decref(root);

    static const struct {
        const char *digits, *verb;
        unsigned status;
        const char *message;
    } cases[] = {
        {"01", "retry", 200, "Job is run again"},
        {"01", "retry", 409, "Only a job that is dead, cancelled or scheduled can be retried"},
        {"02", "retry", 409, "Only a job that is dead, cancelled or scheduled can be retried"},
        {"05", "retry", 409, "Another job with its key waits or runs"},
        {"06", "retry", 200, "Job is run again"},
        {"ff", "retry", 404, "Job not found"},
        {"01", "cancel", 200, "Job is cancelled"},
        {"01", "cancel", 409, "The job has ended"},
        {"01", "retry", 200, "Job is run again"},
        {"02", "cancel", 200, "Job is cancelled"},
        {"05", "retry", 200, "Job is run again"},
        {"03", "cancel", 200, "Job is cancelled"},
        {"04", "cancel", 409, "The job has ended"},
        {"ff", "cancel", 404, "Job not found"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char target[96];
        snprintf(target, sizeof(target), JOBS "/00000000-0000-0000-0000-0000000000%s/%s", cases[i].digits,
                 cases[i].verb);
        expect_only(&server, &admin, "POST", target, cases[i].status, cases[i].message);
    }
    expect_only(&server, &admin, "POST", JOBS "/x/retry", 400, "Validation failed: Invalid job ID format");
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM jobs WHERE state = 'waiting' AND attempt = 0"), 3);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM jobs WHERE state = 'running' AND cancelled"), 1);
    cr_expect(server_wait_output(&server, "\"event\":\"queue.job_cancelled\""));

    expect_only(&server, &admin, "POST", QUEUES "/odd/pause", 404, "Queue not found");
    database_execute(&server, "INSERT INTO job_queues (name) VALUES ('odd')");
    root = expect(&server, &admin, "POST", QUEUES "/odd/pause", 200, "Queue is paused");
    cr_expect(json_is_true(http_json_at(root, "data.paused")));
    json_decref(root);
    root = expect(&server, &admin, "GET", QUEUES, 200, "Queues retrieved successfully");
    bool seen = false;
    for (size_t i = 0; i < json_array_size(http_json_at(root, "data")); i++) {
        const json_t *each = json_array_get(http_json_at(root, "data"), i);
        if (strcmp(http_json_text(each, "name"), "odd") != 0)
            continue;
        seen = true;
        cr_expect(json_is_true(http_json_at(each, "paused")));
        cr_expect_eq(http_json_integer(each, "waiting"), 3);
        cr_expect_eq(http_json_integer(each, "running"), 1);
        cr_expect_eq(http_json_integer(each, "dead"), 0);
        cr_expect_eq(http_json_integer(each, "scheduled"), 0);
    }
    cr_expect(seen);
    json_decref(root);
    root = expect(&server, &admin, "POST", QUEUES "/odd/resume", 200, "Queue goes on");
    cr_expect(json_is_false(http_json_at(root, "data.paused")));
    json_decref(root);
    server_stop(&server);
}

/* What the command writes to both outputs; free() it. Its status is *ret_status. */
static char *command(const struct test_server *server, const char *arguments, int *ret_status)
{
    char line[1024], *text = calloc(1, 8192);
    snprintf(line, sizeof(line),
             "BACKPLANE_DATA='%s' DATABASE_URL='%s' JWT_SECRET=01234567890123456789012345678901 '" BACKPLANE_BUILD_ROOT
             "/backplane' jobs %s -c '" BACKPLANE_SOURCE_ROOT "/config/backplane.cfg' 2>&1",
             server->folder, server->database, arguments);
    FILE *pipe = popen(line, "r");
    cr_assert(pipe && text);
    size_t len = fread(text, 1, 8191, pipe);
    text[len] = '\0';
    *ret_status = WEXITSTATUS(pclose(pipe));
    return text;
}

Test(queue_admin, on_the_command_line)
{
    static const struct {
        const char *arguments;
        int status;
        const char *text; /* is in it */
    } cases[] = {
        {"list", 0,
         "00000000-0000-0000-0000-000000000001  dead       some.kind                 odd             3/3    "
         "2023-11-14T22:13:20.000Z  It was wet\n"},
        {"list running", 0, "-000000000003  running"},
        {"list no", 1, "a state may be given: scheduled, waiting, running, done, dead or cancelled\n"},
        {"show 00000000-0000-0000-0000-000000000001", 0, "\"kind\":\"some.kind\",\"queue\":\"odd\",\"state\":\"dead\""},
        {"show " NOBODY, 1, "there is no such job\n"},
        {"show x", 1, "the id of a job is needed\n"},
        {"retry 00000000-0000-0000-0000-000000000001", 0, "\"state\":\"waiting\""},
        {"retry 00000000-0000-0000-0000-000000000001", 1, "the job is in no state for that: see show\n"},
        {"cancel 00000000-0000-0000-0000-000000000001", 0, "\"state\":\"cancelled\""},
        {"retry 00000000-0000-0000-0000-000000000005", 1, "another job with its key waits or runs\n"},
        {"pause nothing", 1, "there is no queue nothing\n"},
        {"pause odd", 0, "odd is paused\n"},
        {"queues", 0, "odd                       paused  waiting 1  scheduled 0  running 1  dead 1  oldest "},
        {"resume odd", 0, "odd goes on\n"},
    };
    struct test_server server;
    struct account_client admin;
    begin(&server, &admin);
    database_execute(&server, "INSERT INTO job_queues (name) VALUES ('odd')");
    insert(&server, "01", "dead", "NULL");
    insert(&server, "02", "waiting", "'k'");
    insert(&server, "03", "running", "NULL");
    insert(&server, "05", "dead", "'k'");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status;
        char *text = command(&server, cases[i].arguments, &status);
        cr_expect_eq(status, cases[i].status, "%s: %d %s", cases[i].arguments, status, text);
        cr_expect(strstr(text, cases[i].text), "%s: %s", cases[i].arguments, text);
        free(text);
    }
    server_stop(&server);
}
