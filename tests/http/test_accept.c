/* SPDX-License-Identifier: MIT */
/* What of Accept is refused, as server.not_acceptable says; and the type of a problem, as server.problem_base says. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/server.h"

#define TODOS "/api/v1/todos"
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

TestSuite(accept, .timeout = 110);

static void begin(struct test_server *server, const char *setting)
{
    server_start(server,
                 &(struct server_options){.arguments = (const char *[]){setting ? "--set" : NULL, setting, NULL}});
}

enum { EXCLUDED, UNLISTED, NEVER, SETTINGS };

static const char *const settings[SETTINGS] = {NULL, "server.not_acceptable=unlisted", "server.not_acceptable=never"};

static const struct {
    const char *accept;
    unsigned status[SETTINGS];
} cases[] = {
    {NULL, {200, 200, 200}},
    {"", {200, 200, 200}},
    {"*/*", {200, 200, 200}},
    {"application/json", {200, 200, 200}},
    {"APPLICATION/*", {200, 200, 200}},
    {"text/html, application/json;q=0.1", {200, 200, 200}},
    {"application/problem+json", {200, 200, 200}},
    {"text/html", {200, 406, 200}},
    {"text/html, image/*;q=0.5", {200, 406, 200}},
    {"application/xml", {200, 406, 200}},
    {"application/jsonp", {200, 406, 200}},
    {"application/json;q=0", {406, 406, 200}},
    {"*/*, application/json;q=0", {406, 406, 200}},
    {"text/html, */*;q=0", {406, 406, 200}},
    {"application/*;q=0.000", {406, 406, 200}},
};

Test(accept, what_is_refused)
{
    for (size_t setting = 0; setting < SETTINGS; setting++) {
        struct test_server server;
        begin(&server, settings[setting]);
        char *ada = http_login(server.port, "ada@example.com");
        for (size_t i = 0; i < LENGTH(cases); i++) {
            struct http_reply reply;
            char headers[1024];
            snprintf(headers, sizeof(headers), "%s%s%s%s", ada, cases[i].accept ? "Accept: " : "",
                     cases[i].accept ? cases[i].accept : "", cases[i].accept ? "\r\n" : "");
            http_call(server.port, "GET", TODOS, headers, NULL, &reply);
            json_t *root = http_json(&reply);
            cr_expect_eq(reply.status, cases[i].status[setting], "%s: \"%s\": %u", settings[setting], cases[i].accept,
                         reply.status);
            cr_expect_str_eq(http_header(&reply, "Content-Type"), "application/json; charset=utf-8");
            if (reply.status == 406) {
                cr_expect_str_eq(http_json_text(root, "code"), "http.not_acceptable");
                cr_expect_str_eq(http_json_text(root, "message"),
                                 "The reply would be application/json, which Accept excludes");
            }
            json_decref(root);
            http_reply_free(&reply);
        }
        free(ada);
        server_stop(&server);
    }
}

/* Who may not know what is there learns nothing by Accept; and nothing is written by a request whose reply nobody takes. */
Test(accept, after_who_asks_and_before_what_is_done)
{
    struct test_server server;
    struct http_reply reply;
    char headers[1024];
    begin(&server, settings[UNLISTED]);
    http_call(server.port, "GET", TODOS, "Accept: text/html\r\n", NULL, &reply);
    cr_expect_eq(reply.status, 401);
    http_reply_free(&reply);
    char *ada = http_login(server.port, "ada@example.com");
    snprintf(headers, sizeof(headers), "%sAccept: text/html\r\n", ada);
    http_call(server.port, "POST", TODOS, headers, "{\"title\":\"x\"}", &reply);
    cr_expect_eq(reply.status, 406);
    http_reply_free(&reply);
    http_call(server.port, "GET", TODOS, ada, NULL, &reply);
    json_t *root = http_json(&reply);
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 0);
    json_decref(root);
    http_reply_free(&reply);
    /* What is no JSON is not asked for it. */
    http_call(server.port, "GET", "/metrics", "Accept: text/html\r\n", NULL, &reply);
    cr_expect_eq(reply.status, 200, "%u", reply.status);
    http_reply_free(&reply);
    free(ada);
    server_stop(&server);
}

Test(accept, types_of_problems)
{
    static const struct {
        const char *method, *target, *body;
        unsigned status;
        const char *code, *title;
    } problems[] = {
        {"GET", "/nowhere", NULL, 404, "http.route_not_found", "Not Found"},
        {"DELETE", "/health/live", NULL, 405, "http.method_not_allowed", "Method Not Allowed"},
        {"GET", TODOS, NULL, 401, "auth.required", "Unauthorized"},
        {"POST", "/api/v1/auth/login", "{", 400, "http.malformed_json", "Bad Request"},
        {"POST", "/api/v1/auth/login", "{}", 400, "validation.failed", "Bad Request"},
    };
    struct test_server server;
    begin(&server, "server.problem_base=https://example.com/errors.html#");
    for (size_t i = 0; i < LENGTH(problems); i++)
        for (int as_problem = 0; as_problem < 2; as_problem++) {
            struct http_reply reply;
            char type[128];
            http_call(server.port, problems[i].method, problems[i].target,
                      as_problem ? "Accept: application/problem+json\r\n" : NULL, problems[i].body, &reply);
            json_t *root = http_json(&reply);
            cr_expect_eq(reply.status, problems[i].status, "%s: %u", problems[i].target, reply.status);
            cr_expect_str_eq(http_json_text(root, "code"), problems[i].code);
            snprintf(type, sizeof(type), "https://example.com/errors.html#%s", problems[i].code);
            cr_expect_str_eq(http_json_text(root, "type"), as_problem ? type : "");
            cr_expect_str_eq(http_json_text(root, "title"), as_problem ? problems[i].title : "");
            cr_expect_str_eq(http_header(&reply, "Content-Type"),
                             as_problem ? "application/problem+json" : "application/json; charset=utf-8");
            json_decref(root);
            http_reply_free(&reply);
        }
    server_stop(&server);
}
