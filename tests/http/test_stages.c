/* SPDX-License-Identifier: MIT */
/* The stages that every reply passes: identifiers, logs, header fields, CORS; and the health probes. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

static struct test_server server;

static void start(const char *environment)
{
    server_start(&server, &(struct server_options){.environment = (const char *const[]){environment, NULL}});
}

TestSuite(stages, .timeout = 60);

static const char *const everywhere[] = {"/health/live", "/api/v1/todos", "/nowhere", "/metrics"};

Test(stages, security_headers_are_on_every_reply)
{
    static const char *const fields[][2] = {{"X-Content-Type-Options", "nosniff"},
                                            {"X-Frame-Options", "DENY"},
                                            {"Referrer-Policy", "no-referrer"},
                                            {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
                                            {"Cross-Origin-Resource-Policy", "same-origin"},
                                            {"Cross-Origin-Opener-Policy", "same-origin"},
                                            {"X-DNS-Prefetch-Control", "off"},
                                            {"X-Permitted-Cross-Domain-Policies", "none"}};
    start(NULL);
    for (size_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++) {
        struct http_reply reply;
        http_call(server.port, "GET", everywhere[i], NULL, NULL, &reply);
        for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
            const char *value = http_header(&reply, fields[f][0]);
            cr_expect(value && strcmp(value, fields[f][1]) == 0, "%s on %s", fields[f][0], everywhere[i]);
        }
        cr_expect_null(http_header(&reply, "Strict-Transport-Security")); /* not by TLS */
        cr_expect_null(http_header(&reply, "Server"));
        cr_expect_null(http_header(&reply, "X-Powered-By"));
        http_reply_free(&reply);
    }
    cr_assert_eq(server_stop(&server), 0);
}

Test(stages, request_ids)
{
    static const struct {
        const char *sent;
        bool kept;
    } cases[] = {{"abc-1.2_3", true}, {"", false}, {"has space", false}, {"quote\"", false}, {"slash/", false}};
    start(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char header[64];
        struct http_reply reply;
        snprintf(header, sizeof(header), "X-Request-ID: %s\r\n", cases[i].sent);
        http_call(server.port, "GET", "/nowhere", header, NULL, &reply);
        const char *id = http_header(&reply, "X-Request-ID");
        cr_assert(id);
        cr_expect_eq(strcmp(id, cases[i].sent) == 0, cases[i].kept, "%s", cases[i].sent);
        if (!cases[i].kept)
            cr_expect_eq(strlen(id), 36);
        json_t *body = http_json(&reply);
        cr_expect_str_eq(http_json_text(body, "requestId"), http_header(&reply, "X-Request-ID"));
        json_decref(body);
        http_reply_free(&reply);
    }
    cr_assert_eq(server_stop(&server), 0);
}

static void expect_cors(const char *method, const char *origin, unsigned status, const char *allowed, bool credentials,
                        bool vary)
{
    char headers[128];
    struct http_reply reply;
    snprintf(headers, sizeof(headers), "Origin: %s\r\n%s", origin,
             strcmp(method, "OPTIONS") == 0 ? "Access-Control-Request-Method: PATCH\r\n" : "");
    http_call(server.port, method, "/api/v1/todos", headers, NULL, &reply);
    cr_expect_eq(reply.status, status, "%s %s: %u", method, origin, reply.status);
    const char *value = http_header(&reply, "Access-Control-Allow-Origin");
    cr_expect(allowed ? value && strcmp(value, allowed) == 0 : !value, "%s %s: %s", method, origin,
              value ? value : "none");
    cr_expect_eq(http_header(&reply, "Access-Control-Allow-Credentials") != NULL, credentials);
    value = http_header(&reply, "Vary");
    cr_expect_eq(value && strstr(value, "Origin"), vary);
    if (strcmp(method, "OPTIONS") == 0) {
        cr_expect_str_eq(http_header(&reply, "Access-Control-Allow-Methods"), "GET, POST, PUT, PATCH, DELETE, OPTIONS");
        cr_expect_str_eq(
            http_header(&reply, "Access-Control-Allow-Headers"),
            "Content-Type, Authorization, X-Request-ID, X-API-Key, If-Match, If-None-Match, Idempotency-Key");
    }
    http_reply_free(&reply);
}

Test(stages, cors_for_everybody)
{
    start(NULL);
    expect_cors("OPTIONS", "https://a.example", 204, "*", false, false);
    expect_cors("GET", "https://a.example", 401, "*", false, false); /* on errors too */
    cr_assert_eq(server_stop(&server), 0);
}

Test(stages, cors_for_a_list)
{
    start("CORS_ORIGIN=https://a.example, https://b.example");
    expect_cors("OPTIONS", "https://b.example", 204, "https://b.example", true, true);
    expect_cors("GET", "https://a.example", 401, "https://a.example", true, true);
    expect_cors("GET", "https://c.example", 401, NULL, false, true);
    cr_assert_eq(server_stop(&server), 0);
}

Test(stages, a_wrong_origin_is_refused)
{
    char *output;
    int code = server_refuses(
        &(struct server_options){.environment = (const char *const[]){"CORS_ORIGIN=a.example/", NULL}}, &output);
    cr_expect_eq(code, 1);
    cr_expect(strstr(output, "config/backplane.cfg:") && strstr(output, "\"a.example/\" is not an origin"), "%s",
              output);
    free(output);
}

Test(stages, health)
{
    struct http_reply reply;
    start(NULL);
    static const char *const states[][2] = {
        {"/health/live", "alive"}, {"/health/ready", "ready"}, {"/health/database", "healthy"}};
    for (size_t i = 0; i < 3; i++) {
        http_call(server.port, "GET", states[i][0], NULL, NULL, &reply);
        cr_expect_eq(reply.status, 200);
        json_t *body = http_json(&reply);
        cr_expect_str_eq(http_json_text(body, "status"), states[i][1]);
        cr_expect_eq(strlen(http_json_text(body, "timestamp")), 24);
        cr_expect_eq(json_object_size(body), i < 2 ? 2 : 5);
        if (i == 2) {
            cr_expect_str_eq(http_json_text(body, "services.database"), "Connected");
            cr_expect_str_eq(http_json_text(body, "services.redis"), "Disabled");
            cr_expect(json_is_number(http_json_at(body, "uptime")));
        }
        json_decref(body);
        http_reply_free(&reply);
    }
    cr_assert_eq(server_stop(&server), 0);
}

static const char logged[] =
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); workers = 1; data = \"${BACKPLANE_DATA}\"; };\n"
    "plugins: ( { use = \"request_id\"; }, { use = \"access_log\"; output = \"access.log\"; flush_interval = \"10ms\"; "
    "}, { use = \"health\"; } );\n"
    "pipelines: { base = ( \"request_id\", \"access_log\" ); };\n"
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n";

static bool file_holds(const char *name, const char *text)
{
    char path[128], content[65536];
    snprintf(path, sizeof(path), "%s/%s", server.folder, name);
    for (int i = 0; i < 2000; i++) {
        FILE *file = fopen(path, "r");
        content[file ? fread(content, 1, sizeof(content) - 1, file) : 0] = '\0';
        if (file)
            fclose(file);
        if (strstr(content, text))
            return true;
        (void)poll(NULL, 0, 5);
    }
    return false;
}

Test(stages, the_access_log_follows_a_rotation)
{
    struct http_reply reply;
    char from[128], to[128];
    server_start(&server, &(struct server_options){.config = logged});
    http_call(server.port, "GET", "/nowhere?token=hush", "X-Request-ID: before\r\nUser-Agent: a\"b\r\n", NULL, &reply);
    http_reply_free(&reply);
    cr_expect(file_holds(
        "access.log",
        "\"request_id\":\"before\",\"method\":\"GET\",\"target\":\"/nowhere?token=[redacted]\",\"status\":404"));
    cr_expect(file_holds("access.log", "\"user_agent\":\"a\\\"b\""));
    snprintf(from, sizeof(from), "%s/access.log", server.folder);
    snprintf(to, sizeof(to), "%s/access.log.1", server.folder);
    cr_assert_eq(rename(from, to), 0);
    cr_assert_eq(kill(server.pid, SIGUSR1), 0);
    for (int i = 0; i < 2000 && access(from, F_OK) != 0; i++)
        (void)poll(NULL, 0, 5);
    http_call(server.port, "GET", "/nowhere", "X-Request-ID: after\r\n", NULL, &reply);
    http_reply_free(&reply);
    cr_expect(file_holds("access.log", "\"request_id\":\"after\""));
    /* What is buffered is written at exit. */
    http_call(server.port, "GET", "/nowhere", "X-Request-ID: last\r\n", NULL, &reply);
    http_reply_free(&reply);
    cr_assert_eq(server_stop_keep(&server), 0);
    cr_expect(file_holds("access.log", "\"request_id\":\"last\""));
    server_remove_folder(&server);
}

Test(stages, an_access_log_that_cannot_be_opened_stops_the_start)
{
    char *output;
    int code = server_refuses(
        &(struct server_options){
            .config = logged,
            .arguments = (const char *const[]){"--set", "plugins.access_log.output=/nonexistent/log", NULL}},
        &output);
    cr_expect_eq(code, 1);
    cr_expect(strstr(output, "cannot open the access log /nonexistent/log: No such file or directory"), "%s", output);
    free(output);
}
