/* SPDX-License-Identifier: MIT */
/* The access log of a server that runs: its fields, what it leaves out, slow requests, and clients that want to write into it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define CONFIG(options)                                                                                   \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\";\n"        \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; workers = 1; };\n"                          \
    "plugins: ( { use = \"probe\"; }, { use = \"health\"; }, { use = \"request_id\"; },\n"                \
    "  { use = \"access_log\"; output = \"access.log\"; format = \"json\"; " options " } );\n"            \
    "pipelines: { base = ( \"request_id\", \"access_log\", { use = \"probe\"; mode = \"pass\"; } ); };\n" \
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n"

TestSuite(access_log, .timeout = 90);

static void get(const struct test_server *server, const char *target, const char *headers, unsigned status)
{
    struct http_reply reply;
    http_call(server->port, "GET", target, headers, NULL, &reply);
    cr_assert_eq(reply.status, status, "%s: %u", target, reply.status);
    http_reply_free(&reply);
}

/* Ends the server; every line must be an object. */
static json_t *lines_of(struct test_server *server)
{
    json_t *lines = json_array();
    char path[128], line[20000];
    cr_assert_eq(server_stop_keep(server), 0);
    (void)snprintf(path, sizeof(path), "%s/access.log", server->folder);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    while (fgets(line, sizeof(line), file)) {
        json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        cr_assert_not_null(root, "not JSON: %s", line);
        for (const char *at = line; *at && *at != '\n'; at++)
            cr_assert(*at >= ' ' && *at <= '~', "byte %02x in: %s", (unsigned char)*at, line);
        json_array_append_new(lines, root);
    }
    fclose(file);
    server_remove_folder(server);
    return lines;
}

static const char *text(const json_t *line, const char *name)
{
    const char *value = json_string_value(json_object_get(line, name));
    return value ? value : "";
}

static size_t count(const json_t *lines, const char *name, const char *value)
{
    const json_t *line;
    size_t i, found = 0;
    json_array_foreach(lines, i, line) found += strcmp(text(line, name), value) == 0;
    return found;
}

Test(access_log, samples_successes_only)
{
    struct test_server server;
    server_start(&server, &(struct server_options){.config = CONFIG("sample = 0.25;")});
    for (int i = 0; i < 40; i++)
        get(&server, "/probe/ok", NULL, 200);
    for (int i = 0; i < 5; i++) {
        get(&server, "/probe/status/error", NULL, 500);
        get(&server, "/nowhere", NULL, 404);
    }
    json_t *lines = lines_of(&server);
    size_t successes = count(lines, "route", "/probe/ok");
    cr_expect(successes == 10 || successes == 9 || successes == 11, "%zu", successes);
    cr_expect_eq(count(lines, "route", "/probe/status/{kind}"), 5);
    cr_expect_eq(count(lines, "target", "/nowhere"), 5);
    json_decref(lines);
}

Test(access_log, slow_requests_say_what_they_waited_for)
{
    struct test_server server;
    server_start(&server, &(struct server_options){.config = CONFIG("slow = \"50ms\"; sample = 0.0;")});
    get(&server, "/probe/ok", NULL, 200);
    get(&server, "/probe/offload/80",
        "X-Request-ID: slow-1\r\ntraceparent: "
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
        200);
    json_t *lines = lines_of(&server);
    cr_assert_eq(json_array_size(lines), 2); /* the slow one is written though no success is */
    const json_t *slow = json_array_get(lines, 1);
    cr_expect_str_eq(text(slow, "event"), "http.slow");
    cr_expect_str_eq(text(slow, "request_id"), "slow-1");
    cr_expect_str_eq(text(slow, "trace_id"), "0af7651916cd43dd8448eb211c80319c");
    const json_t *parts = json_object_get(slow, "parts"), *part, *offload = NULL;
    size_t i;
    json_array_foreach(parts, i, part) if (strcmp(text(part, "name"), "offload") == 0) offload = part;
    cr_assert_not_null(offload);
    cr_expect_geq(json_number_value(json_object_get(offload, "duration_ms")), 79);
    cr_expect_leq(json_number_value(json_object_get(offload, "duration_ms")),
                  json_number_value(json_object_get(slow, "duration_ms")));
    json_decref(lines);
}

Test(access_log, hostile_clients)
{
    static const char *const heads[] = {
        "User-Agent: x\", \"status\": 200, \"y\": \"\\\r\n",
        "User-Agent: \xc2\x9b[2J\xe2\x80\xa8\xff\xfe\r\nReferer: \x80\x81\r\n",
        "User-Agent: a\tb\r\nCookie: session=secret\r\nX-Tenant: acme\r\n",
    };
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){
                              .config = CONFIG(
                                  "fields = \"otel\"; headers = ( \"referer\", \"cookie\", \"x-tenant\" ); redact = ( "
                                  "\"x-tenant\", \"email\" );")});
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        if (http_try(server.port, "GET", "/probe/ok?email=a%40b&x=%0d%0a{\"event\":\"forged\"}", heads[i], NULL,
                     &reply))
            http_reply_free(&reply);
    if (http_try(server.port, "GET", "/probe/\x1b[2J\xc2\x85", NULL, NULL, &reply))
        http_reply_free(&reply);
    json_t *lines = lines_of(&server);
    cr_expect_geq(json_array_size(lines), 2);
    const json_t *line;
    size_t i, cookies = 0;
    json_array_foreach(lines, i, line)
    {
        cr_expect_str_eq(text(line, "event.name"), "http.access");
        cr_expect_null(json_object_get(line, "y"));
        if (strcmp(text(line, "url.path"), "/probe/ok") == 0)
            cr_expect_eq(strncmp(text(line, "url.query"), "email=[redacted]&x=", 19), 0, "%s", text(line, "url.query"));
        if (*text(line, "http.request.header.cookie")) {
            cookies++;
            cr_expect_str_eq(text(line, "http.request.header.cookie"), "[redacted]");
            cr_expect_str_eq(text(line, "http.request.header.x-tenant"), "[redacted]");
        }
    }
    cr_expect_eq(cookies, 1);
    json_decref(lines);
}
