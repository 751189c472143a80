/* SPDX-License-Identifier: MIT */
/* The document of the shipped configuration, and the page that shows it. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define HERE BACKPLANE_SOURCE_ROOT "/tests/openapi"
#define GOLDEN BACKPLANE_SOURCE_ROOT "/tests/golden/openapi.json"
#define DOCUMENT BACKPLANE_BUILD_ROOT "/tests/openapi/openapi.json"
#define SCREENSHOT BACKPLANE_BUILD_ROOT "/tests/openapi/docs.png"

static json_t *get_document(int port)
{
    struct http_reply reply;
    json_error_t error;
    http_call(port, "GET", "/openapi.json", NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200);
    json_t *document = json_loads(reply.body, 0, &error);
    cr_assert(document, "%s", error.text);
    http_reply_free(&reply);
    return document;
}

static json_t *at(json_t *value, const char *const *keys)
{
    for (; *keys && value; keys++)
        value = json_object_get(value, *keys);
    return value;
}
#define AT(value, ...) at((value), (const char *const[]){__VA_ARGS__, NULL})

/* TEST_UPDATE_GOLDEN=1 writes the golden file anew. */
static void compare_golden(json_t *document)
{
    json_error_t error;
    const char *update = getenv("TEST_UPDATE_GOLDEN");
    if (update && *update)
        cr_assert_eq(json_dump_file(document, GOLDEN, JSON_INDENT(1)), 0);
    json_t *golden = json_load_file(GOLDEN, 0, &error);
    cr_assert(golden, "%s", error.text);
    cr_expect(json_equal(document, golden),
              DOCUMENT " is not tests/golden/openapi.json: look at the difference; TEST_UPDATE_GOLDEN=1 takes it over");
    json_decref(golden);
}

static void lint(void)
{
    char command[1200];
    if (access(HERE "/node_modules/.bin/redocly", X_OK) != 0) {
        cr_expect_fail("not linted: npm ci in tests/openapi (./dev test does it)");
        return;
    }
    snprintf(command, sizeof(command),
             "cd '%s' && REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true node_modules/.bin/redocly lint '%s' "
             "--config redocly.yaml >'%s.lint' 2>&1",
             HERE, DOCUMENT, DOCUMENT);
    cr_expect_eq(system(command), 0, "see " DOCUMENT ".lint");
}

Test(openapi, document)
{
    struct test_server server;
    server_start(&server, &(struct server_options){.environment = (const char *const[]){"WEBHOOKS=1", NULL}});
    json_t *document = get_document(server.port);
    cr_assert_eq(json_dump_file(document, DOCUMENT, JSON_INDENT(1)), 0);
    json_t *list = AT(document, "paths", "/api/v1/todos", "get"), *live = AT(document, "paths", "/health/live", "get");
    /* What guards a route is in it, what does not is not. */
    cr_expect(AT(list, "responses", "401") && AT(list, "responses", "429") && AT(list, "responses", "304"));
    cr_expect_str_eq(json_string_value(AT(list, "responses", "401", "headers", "WWW-Authenticate", "$ref")),
                     "#/components/headers/WWW-Authenticate");
    cr_expect_gt(json_array_size(AT(list, "security")), 0);
    cr_expect(live && !AT(live, "responses", "401") && !AT(live, "responses", "429"));
    cr_expect_eq(json_array_size(AT(live, "security")), 0);
    cr_expect(AT(document, "paths", "/api/v1/auth/sign-up", "post", "responses", "409"));
    cr_expect(!AT(document, "paths", "/docs"));
    compare_golden(document);
    lint();
    json_decref(document);
    cr_expect_eq(server_stop(&server), 0);
}

Test(openapi, conditional_request)
{
    struct test_server server;
    struct http_reply reply;
    char etag[80], field[120];
    server_start(&server, &(struct server_options){0});
    http_call(server.port, "GET", "/openapi.json", NULL, NULL, &reply);
    snprintf(etag, sizeof(etag), "%s", http_header(&reply, "ETag"));
    http_reply_free(&reply);
    snprintf(field, sizeof(field), "If-None-Match: %s\r\n", etag);
    http_call(server.port, "GET", "/openapi.json", field, NULL, &reply);
    cr_expect_eq(reply.status, 304);
    cr_expect_eq(reply.body_len, 0);
    http_reply_free(&reply);
    cr_expect_eq(server_stop(&server), 0);
}

Test(openapi, without_docs)
{
    struct test_server server;
    struct http_reply reply;
    const char *const environment[] = {"OPENAPI_DOCS=false", NULL};
    server_start(&server, &(struct server_options){.environment = environment});
    http_call(server.port, "GET", "/docs", NULL, NULL, &reply);
    cr_expect_eq(reply.status, 404);
    http_reply_free(&reply);
    http_call(server.port, "GET", "/openapi.json", NULL, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    http_reply_free(&reply);
    cr_expect_eq(server_stop(&server), 0);
}

/* probe.stats replies with another form than its route says. */
Test(openapi, undocumented_reply_is_found)
{
    static const char config[] =
        "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); workers = 1; data = \"${BACKPLANE_DATA}\";\n"
        "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; log_format = \"json\"; };\n"
        "plugins: ( { use = \"openapi\"; validate_replies = true; }, { use = \"probe\"; } );\n"
        "pipelines: { all = ( \"openapi\" ); };\n"
        "routes: ( { match = \"/*\"; pipeline = \"all\"; } );\n";
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){.config = config});
    http_call(server.port, "GET", "/probe/ok", NULL, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    http_reply_free(&reply);
    http_call(server.port, "GET", "/probe/stats", NULL, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    http_reply_free(&reply);
    cr_expect(server_wait_output(
        &server, "\"route\":\"/probe/stats\",\"status\":200,\"reason\":\"it lacks the member success\""));
    char *output = server_output(&server);
    cr_expect(strstr(output, "\"/probe/ok\"") == NULL);
    free(output);
    cr_expect_eq(server_stop_keep(&server), 0);
    server_remove_folder(&server);
}

Test(openapi, docs_in_a_browser)
{
    struct test_server server;
    struct http_reply reply;
    char command[1600];
    static const char chromium[] = "/usr/bin/chromium";
    server_start(&server, &(struct server_options){0});
    http_call(server.port, "GET", "/docs", NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200);
    cr_expect(strstr(http_header(&reply, "Content-Security-Policy"), "default-src 'self'"));
    bool built_in = strstr(reply.body, "swagger-ui-bundle.js") != NULL;
    http_reply_free(&reply);
    if (built_in && access(HERE "/node_modules/playwright-core", F_OK) == 0 && access(chromium, X_OK) == 0) {
        snprintf(command, sizeof(command), "cd '%s' && node docs.mjs http://127.0.0.1:%d %s '%s' >'%s.log' 2>&1", HERE,
                 server.port, chromium, SCREENSHOT, SCREENSHOT);
        cr_expect_eq(system(command), 0, "see " SCREENSHOT ".log");
    } else {
        cr_expect_fail(
            "not shown in a browser: chromium, npm ci in tests/openapi, or Swagger UI is missing (./dev test "
            "has them)");
    }
    cr_expect_eq(server_stop(&server), 0);
}
