/* SPDX-License-Identifier: MIT */
/* The audit log of a server with the shipped configuration: who, what, from where, and how it ended. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

TestSuite(audit, .timeout = 90);

static const char login[] = "/api/v1/auth/login";
static const char *const to_file[] = {"--set", "server.audit_log=audit.log", NULL};
static const char *const environment[] = {"LOGIN_MAX_FAILURES=3", NULL};

static void call(const struct test_server *server, const char *method, const char *target, const char *headers,
                 const char *body, unsigned status, struct http_reply *ret_reply)
{
    http_call(server->port, method, target, headers, body, ret_reply);
    cr_assert_eq(ret_reply->status, status, "%s %s: %u %s", method, target, ret_reply->status, ret_reply->body);
}

/* Its lines so far; each must be an object, and of the stream. */
static json_t *lines_of(const char *path)
{
    json_t *lines = json_array();
    char line[8192];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while (fgets(line, sizeof(line), file)) {
        json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        cr_assert_not_null(root, "not JSON: %s", line);
        cr_assert_str_eq(http_json_text(root, "stream"), "audit");
        cr_assert_null(strstr(line, "Passw0rd!"), "%s", line);
        json_array_append_new(lines, root);
    }
    fclose(file);
    return lines;
}

static size_t count(const json_t *lines, const char *event, const char *outcome)
{
    const json_t *line;
    size_t i, found = 0;
    json_array_foreach(lines, i, line) found +=
        strcmp(http_json_text(line, "event"), event) == 0 && strcmp(http_json_text(line, "outcome"), outcome) == 0;
    return found;
}

static const json_t *find(const json_t *lines, const char *event)
{
    const json_t *line;
    size_t i;
    json_array_foreach(lines, i, line) if (strcmp(http_json_text(line, "event"), event) == 0) return line;
    cr_assert_fail("no %s", event);
    return NULL;
}

/* Of the account of bearer: logs in once more, ends that session by its id, and then its own. */
static void end_sessions(const struct test_server *server, const char *bearer)
{
    struct http_reply reply;
    char target[128] = "";
    call(server, "POST", login, NULL, "{\"email\":\"a@example.com\",\"password\":\"Passw0rd!\"}", 200, &reply);
    http_reply_free(&reply);
    call(server, "GET", "/api/v1/auth/sessions", bearer, NULL, 200, &reply);
    json_t *sessions = http_json(&reply);
    const json_t *session;
    size_t i;
    json_array_foreach(json_object_get(sessions, "data"), i,
                       session) if (!json_is_true(json_object_get(session, "current")))(void)
        snprintf(target, sizeof(target), "/api/v1/auth/sessions/%s", http_json_text(session, "id"));
    http_reply_free(&reply);
    json_decref(sessions);
    call(server, "DELETE", target, bearer, NULL, 200, &reply);
    http_reply_free(&reply);
    call(server, "POST", "/api/v1/auth/logout", bearer, NULL, 200, &reply);
    http_reply_free(&reply);
}

/* What it says, while the server runs. */
static const char *command(const struct test_server *server, const char *audit_log, const char *words, int code)
{
    static char output[512];
    char line[1024];
    snprintf(line, sizeof(line),
             "BACKPLANE_DATA='%s' DATABASE_URL='%s' " BACKPLANE_BUILD_ROOT "/backplane -c " BACKPLANE_SOURCE_ROOT
             "/config/backplane.cfg --set server.audit_log=%s %s 2>&1",
             server->folder, server->database, audit_log, words);
    FILE *out = popen(line, "r"); // NOLINT(cert-env33-c): constants and a folder of the test's
    cr_assert(out);
    output[fread(output, 1, sizeof(output) - 1, out)] = '\0';
    int status = pclose(out);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == code, "%s: %s", words, output);
    return output;
}

Test(audit, what_happens_to_an_account)
{
    static const char wrong[] = "{\"email\":\"a@example.com\",\"password\":\"Wrong-Passw0rd\"}";
    struct test_server server;
    struct http_reply reply;
    struct stat status;
    char target[128], path[128], moved[160];

    server_start(&server, &(struct server_options){.environment = environment, .arguments = to_file});
    char *bearer = http_login(server.port, "a@example.com");
    call(&server, "POST", "/api/v1/auth/keys", bearer, "{\"name\":\"k\",\"scopes\":[\"todos:read\"]}", 201, &reply);
    json_t *key = http_json(&reply);
    (void)snprintf(target, sizeof(target), "/api/v1/auth/keys/%s", http_json_text(key, "data.id"));
    http_reply_free(&reply);
    call(&server, "DELETE", target, bearer, NULL, 200, &reply);
    http_reply_free(&reply);
    call(&server, "GET", "/api/v1/admin/users", bearer, NULL, 403, &reply);
    http_reply_free(&reply);
    end_sessions(&server, bearer);
    cr_assert_str_eq(command(&server, "audit.log", "auth set-role a@example.com admin", 0),
                     "a@example.com has the role admin\n");
    cr_assert_str_eq(command(&server, "audit.log", "jobs pause default", 0), "default is paused\n");
    cr_assert_str_eq(command(&server, "audit.log", "jobs resume default", 0), "default goes on\n");
    call(&server, "POST", "/api/v1/auth/sign-up", NULL, "{\"email\":\"A@example.com\",\"password\":\"Passw0rd!\"}", 409,
         &reply);
    http_reply_free(&reply);
    for (int i = 0; i < 3; i++) {
        call(&server, "POST", login, "X-Request-ID: bad-login\r\n", wrong, 401, &reply);
        http_reply_free(&reply);
    }

    (void)snprintf(path, sizeof(path), "%s/audit.log", server.folder);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0640);
    json_t *lines = lines_of(path);
    cr_expect_eq(count(lines, "auth.sign_up", "ok"), 1);
    cr_expect_eq(count(lines, "auth.sign_up", "failed"), 1);
    cr_expect_eq(count(lines, "auth.login", "ok"), 2);
    cr_expect_eq(count(lines, "auth.session_ended", "ok"), 1);
    cr_expect_eq(count(lines, "auth.logout", "ok"), 1);
    cr_expect_eq(strlen(http_json_text(find(lines, "auth.session_ended"), "session_id")), 36);
    cr_expect_str_eq(http_json_text(find(lines, "auth.logout"), "user_id"),
                     http_json_text(find(lines, "auth.sign_up"), "user_id"));
    cr_expect_eq(strlen(http_json_text(find(lines, "auth.logout"), "session_id")), 36);
    cr_expect_eq(count(lines, "auth.account_changed", "ok"), 1);
    cr_expect_str_eq(http_json_text(find(lines, "auth.account_changed"), "target_user_id"),
                     http_json_text(find(lines, "auth.sign_up"), "user_id"));
    cr_expect_str_eq(http_json_text(find(lines, "auth.account_changed"), "role"), "admin");
    cr_expect_eq(count(lines, "queue.paused", "ok"), 1);
    cr_expect_eq(count(lines, "queue.resumed", "ok"), 1);
    cr_expect_str_eq(http_json_text(find(lines, "queue.paused"), "queue"), "default");
    cr_expect_eq(http_json_integer(find(lines, "queue.paused"), "uid"), getuid());
    cr_expect_eq(count(lines, "auth.login", "failed"), 3);
    cr_expect_eq(count(lines, "auth.key_created", "ok"), 1);
    cr_expect_eq(count(lines, "auth.key_deleted", "ok"), 1);
    cr_expect_eq(count(lines, "access.denied", "denied"), 1);
    const json_t *last = json_array_get(lines, json_array_size(lines) - 1);
    cr_expect_str_eq(http_json_text(last, "plugin"), "auth");
    cr_expect_str_eq(http_json_text(last, "request_id"), "bad-login");
    cr_expect_str_eq(http_json_text(last, "client"), "127.0.0.1");
    cr_expect_eq(strlen(http_json_text(last, "user_id")), 36);
    json_decref(lines);

    /* A rotation. */
    (void)snprintf(moved, sizeof(moved), "%s.1", path);
    cr_assert_eq(rename(path, moved), 0);
    cr_assert_eq(kill(server.pid, SIGUSR1), 0);
    for (int i = 0; stat(path, &status) != 0; i++) {
        cr_assert_lt(i, 2000);
        (void)poll(NULL, 0, 5);
    }
    call(&server, "POST", login, NULL, wrong, 429, &reply);
    http_reply_free(&reply);
    json_decref(key);
    free(bearer);
    cr_assert_eq(server_stop_keep(&server), 0);
    json_t *before = lines_of(moved), *after = lines_of(path);
    cr_expect_eq(count(before, "auth.locked_out", "denied") + count(after, "auth.locked_out", "denied"), 1);
    json_decref(before);
    json_decref(after);
    server_remove_folder(&server);
}

/* Its password is right, and there is no account that could have a session: a login that failed. */
Test(audit, an_account_that_goes_while_it_logs_in)
{
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){0});
    free(http_login(server.port, "a@example.com"));
    database_execute(&server, "CREATE TRIGGER gone BEFORE INSERT ON sessions BEGIN SELECT RAISE(IGNORE); END");
    call(&server, "POST", login, NULL, "{\"email\":\"a@example.com\",\"password\":\"Passw0rd!\"}", 401, &reply);
    http_reply_free(&reply);
    cr_expect(server_wait_output(&server, "\"event\":\"auth.login\",\"message\":\"A login failed\""));
    call(&server, "GET", "/metrics", NULL, NULL, 200, &reply);
    cr_expect(strstr(reply.body, "\nbackplane_auth_attempts_total{kind=\"login\",outcome=\"failed\"} 1\n"));
    http_reply_free(&reply);
    cr_assert_eq(server_stop(&server), 0);
}

Test(audit, among_the_lines_of_the_log)
{
    struct test_server server;
    static const char *const quiet[] = {"--set", "server.log_level=error", NULL};
    server_start(&server, &(struct server_options){.arguments = quiet});
    free(http_login(server.port, "a@example.com"));
    cr_assert(server_wait_output(&server, "\"event\":\"auth.login\",\"message\":\"Logged in\",\"stream\":\"audit\""));
    /* Who only looks need not be able to write there. */
    static const struct {
        const char *words, *says;
        int code;
    } commands[] = {{"jobs queues", "", 0},
                    {"jobs list dead", "", 0},
                    {"jobs show 0190f7e4-0000-7000-8000-000000000000", "there is no such job", 1},
                    {"jobs pause nothing", "server.audit_log cannot be opened: No such file or directory", 1},
                    {"jobs resume nothing", "server.audit_log cannot be opened: No such file or directory", 1},
                    {"jobs retry 0190f7e4-0000-7000-8000-000000000000", "server.audit_log cannot be opened", 1},
                    {"jobs cancel 0190f7e4-0000-7000-8000-000000000000", "server.audit_log cannot be opened", 1},
                    {"auth set-role a@example.com admin", "server.audit_log cannot be opened", 1}};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const char *output = command(&server, "/nowhere/audit.log", commands[i].words, commands[i].code);
        cr_assert(strstr(output, commands[i].says), "%s: %s", commands[i].words, output);
    }
    cr_assert_eq(server_stop(&server), 0);
    static const char *const nowhere[] = {"--set", "server.audit_log=/nowhere/audit.log", NULL};
    char *output;
    cr_assert_eq(server_refuses(&(struct server_options){.arguments = nowhere}, &output), 1);
    cr_assert_not_null(strstr(output, "server.audit_log cannot be opened: No such file or directory"), "%s", output);
    free(output);
}
