/* SPDX-License-Identifier: MIT */
/* The plugins of docs/writing-a-plugin.md, in a server. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

/* What a user has who puts docs/examples/examples.cfg into config/plugins/. */
static const char config[] = "include = ( \"" BACKPLANE_SOURCE_ROOT "/tests/examples/examples.cfg\" );";
static const char *const arguments[] = {"--set", "server.plugin_path=" BACKPLANE_BUILD_ROOT "/tests/examples", "--set",
                                        "plugins.slow_log.threshold=0", NULL};

static struct test_server server;

static void set_up(void)
{
    server_start(&server, &(struct server_options){.config = config, .arguments = arguments});
}

static void tear_down(void)
{
    server_stop(&server);
}

TestSuite(examples, .init = set_up, .fini = tear_down, .timeout = 60);

Test(examples, a_note_is_created_and_found)
{
    char *ada = http_login(server.port, "ada@example.com"), *bob = http_login(server.port, "bob@example.com");
    char path[64];
    struct http_reply reply;
    http_call(server.port, "POST", "/api/v1/notes", ada, "{\"text\":\" Buy milk \"}", &reply);
    cr_assert_eq(reply.status, 201);
    json_t *created = http_json(&reply);
    cr_expect_str_eq(http_json_text(created, "data.text"), "Buy milk");
    snprintf(path, sizeof(path), "/api/v1/notes/%s", http_json_text(created, "data.id"));
    http_reply_free(&reply);

    http_call(server.port, "GET", path, ada, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    http_reply_free(&reply);
    http_call(server.port, "GET", path, bob, NULL, &reply); /* somebody else's */
    cr_expect_eq(reply.status, 404);
    http_reply_free(&reply);
    http_call(server.port, "GET", "/api/v1/notes/1", ada, NULL, &reply);
    cr_expect_eq(reply.status, 400);
    cr_expect(strstr(reply.body, "Invalid note ID format"));
    http_reply_free(&reply);
    json_decref(created);
    free(ada);
    free(bob);
}

/* The command, beside the server. */
static void make_admin(const char *email)
{
    char command[1024];
    snprintf(command, sizeof(command),
             "BACKPLANE_DATA='%s' " BACKPLANE_BUILD_ROOT "/backplane -c " BACKPLANE_SOURCE_ROOT
             "/config/backplane.cfg auth set-role %s admin",
             server.folder, email);
    cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c) a test's own command
}

static void expect_note(const char *path, const char *who, unsigned status, const char *cached)
{
    struct http_reply reply;
    http_call(server.port, "GET", path, who, NULL, &reply);
    cr_expect_eq(reply.status, status, "%s", reply.body);
    cr_expect_str_eq(http_header(&reply, "X-Cache"), cached);
    http_reply_free(&reply);
}

Test(examples, a_note_is_cached_until_an_administrator_removes_it)
{
    char *ada = http_login(server.port, "ada@example.com"), *root = http_login(server.port, "root@example.com");
    char path[64];
    struct http_reply reply;
    make_admin("root@example.com");
    free(root);
    root = http_login(server.port, "root@example.com");
    http_call(server.port, "POST", "/api/v1/notes", ada, "{\"text\":\"Kept\"}", &reply);
    cr_assert_eq(reply.status, 201);
    json_t *created = http_json(&reply);
    snprintf(path, sizeof(path), "/api/v1/notes/%s", http_json_text(created, "data.id"));
    http_reply_free(&reply);
    expect_note(path, ada, 200, "MISS");
    expect_note(path, ada, 200, "HIT");

    http_call(server.port, "DELETE", path, ada, NULL, &reply);
    cr_expect_eq(reply.status, 403);
    http_reply_free(&reply);
    expect_note(path, ada, 200, "HIT");
    http_call(server.port, "DELETE", path, root, NULL, &reply);
    cr_expect_eq(reply.status, 200, "%s", reply.body);
    http_reply_free(&reply);
    expect_note(path, ada, 404, "MISS");
    http_call(server.port, "DELETE", path, root, NULL, &reply);
    cr_expect_eq(reply.status, 404);
    http_reply_free(&reply);
    json_decref(created);
    free(ada);
    free(root);
}

Test(examples, a_bookmark_is_a_whole_resource)
{
    char *ada = http_login(server.port, "ada@example.com"), path[80];
    struct http_reply reply;
    http_call(server.port, "POST", "/api/v1/bookmarks", ada, "{\"url\":\"https://example.com/\"}", &reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    cr_expect_str_eq(http_header(&reply, "ETag"), "\"1\"");
    json_t *created = http_json(&reply);
    snprintf(path, sizeof(path), "/api/v1/bookmarks/%s", http_json_text(created, "data.id"));
    json_decref(created);
    http_reply_free(&reply);
    http_call(server.port, "PATCH", path, ada, "{\"read\":true,\"title\":\"Example\"}", &reply);
    cr_expect_eq(reply.status, 200, "%s", reply.body);
    http_reply_free(&reply);
    http_call(server.port, "GET", "/api/v1/bookmarks?read=true&sort=title&fields=title", ada, NULL, &reply);
    json_t *found = http_json(&reply);
    cr_expect_str_eq(http_json_text(found, "data.data.0.title"), "Example");
    json_decref(found);
    http_reply_free(&reply);
    http_call(server.port, "DELETE", path, ada, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    http_reply_free(&reply);
    free(ada);
}

Test(examples, a_note_needs_a_text_and_an_account)
{
    char *ada = http_login(server.port, "ada@example.com");
    struct http_reply reply;
    http_call(server.port, "POST", "/api/v1/notes", ada, "{}", &reply);
    cr_expect_eq(reply.status, 400);
    cr_expect(strstr(reply.body, "Text is required"));
    http_reply_free(&reply);
    http_call(server.port, "POST", "/api/v1/notes", NULL, "{}", &reply);
    cr_expect_eq(reply.status, 401);
    http_reply_free(&reply);
    free(ada);
}

Test(examples, a_slow_request_is_logged_and_counted)
{
    char *ada = http_login(server.port, "ada@example.com");
    struct http_reply reply;
    http_call(server.port, "POST", "/api/v1/notes", ada, "{\"text\":\"Slow enough\"}", &reply);
    http_reply_free(&reply);
    cr_expect(server_wait_output(&server, "\"event\":\"slow_log.slow\""));
    http_call(server.port, "GET", "/metrics", NULL, NULL, &reply);
    cr_expect(strstr(reply.body, "slow_log_requests_total{stage=\"notes.slow_log\"} 1\n"));
    http_reply_free(&reply);
    free(ada);
}

Test(examples, explain_shows_the_stage)
{
    char line[256], text[4096] = "";
    FILE *pipe =
        popen(BACKPLANE_BUILD_ROOT "/backplane explain GET /api/v1/notes/1 -c " BACKPLANE_SOURCE_ROOT
                                   "/tests/examples/examples.cfg --set server.plugin_path=" BACKPLANE_BUILD_ROOT
                                   "/tests/examples 2>&1",
              "r");
    cr_assert_not_null(pipe);
    while (fgets(line, sizeof(line), pipe))
        strncat(text, line, sizeof(text) - strlen(text) - 1);
    cr_expect_eq(pclose(pipe), 0);
    cr_expect(strstr(text, "notes.slow_log  plugin slow_log"), "%s", text);
}
