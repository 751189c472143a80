/* SPDX-License-Identifier: MIT */
/* Who is counted, as how much, by which limits, and what a reply says about it; in memory, or below with_services in Redis. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/server.h"

#define CONFIG_WITH(plugins, stages)                                                                                 \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; "                    \
    "trusted_proxies = ( \"127.0.0.1\" ); };\n"                                                                      \
    "plugins: ( { use = \"health\"; }, { use = \"metrics\"; }, { use = \"rate_limit\"; quota = 2; window = \"1h\"; " \
    "},\n"                                                                                                           \
    "{ use = \"redis\"; when = \"REDIS_URL\"; url = \"${REDIS_URL}\"; prefix = \"${PORT}:\"; } " plugins " );\n"     \
    "pipelines: { ops = ( ); base = ( " stages " ); };\n"                                                            \
    "routes: ( { match = \"/health/*\"; pipeline = \"ops\"; }, { match = \"/metrics\"; pipeline = \"base\"; }, "     \
    "{ match = \"/*\"; pipeline = \"base\"; } );\n"
#define CONFIG(stages) CONFIG_WITH("", stages)

static void start(struct test_server *server, const char *config)
{
    static char variable[256];
    const char *const environment[] = {variable, NULL};
    const char *url = getenv("TEST_REDIS_URL");
    (void)snprintf(variable, sizeof(variable), "REDIS_URL=%s", url ? url : "");
    server_start(server, &(struct server_options){.config = config, .environment = environment});
}

/* X-RateLimit-Remaining after this request; -1: it was refused, -2: it was not limited. */
static int left(const struct test_server *server, const char *method, const char *target, const char *headers)
{
    struct http_reply reply;
    http_call(server->port, method, target, headers, NULL, &reply);
    const char *text = http_header(&reply, "X-RateLimit-Remaining");
    int number = reply.status == 429 ? -1 : text ? atoi(text) : -2;
    http_reply_free(&reply);
    return number;
}

struct step {
    const char *target, *headers;
    int left;
};

static void walk(const char *config, const struct step *steps, size_t count)
{
    struct test_server server;
    start(&server, config);
    for (size_t i = 0; i < count; i++) {
        int got = left(&server, "GET", steps[i].target, steps[i].headers);
        cr_assert_eq(got, steps[i].left, "step %zu: %d", i, got);
    }
    cr_assert_eq(server_stop(&server), 0);
}
#define WALK(config, ...)                                      \
    do {                                                       \
        static const struct step steps[] = __VA_ARGS__;        \
        walk(config, steps, sizeof(steps) / sizeof(steps[0])); \
    } while (0)

Test(limit_options, keys)
{
    WALK(CONFIG("{ use = \"rate_limit\"; key = \"api_key\"; api_key_header = \"X-Key\"; }"),
         {{"/a", "X-Key: one\r\n", 1},
          {"/b", "x-key: one\r\n", 0},
          {"/a", "X-Key: one\r\n", -1},
          {"/a", "X-Key: two\r\n", 1},
          {"/a", "X-Api-Key: one\r\n", 1}, /* none: the address counts */
          {"/a", NULL, 0},
          {"/a", "X-Key: \r\n", -1},
          {"/a", "X-Forwarded-For: 192.0.2.1\r\n", 1}});
    WALK(CONFIG("{ use = \"rate_limit\"; key = \"header:x-tenant+ip\"; }"),
         {{"/a", "X-Tenant: a\r\n", 1},
          {"/a", "X-Tenant: a\r\nX-Forwarded-For: 192.0.2.1\r\n", 1},
          {"/a", "X-Tenant: b\r\n", 1},
          {"/a", "X-Tenant: a\r\n", 0},
          {"/a", "X-Tenant: a\r\n", -1}});
    WALK(CONFIG("{ use = \"rate_limit\"; key = \"route\"; }"), {{"/metrics", NULL, 1},
                                                                {"/a", NULL, 1}, /* no route */
                                                                {"/metrics", "X-Forwarded-For: 192.0.2.1\r\n", 0},
                                                                {"/b", NULL, 0},
                                                                {"/metrics?x", NULL, -1}});
    WALK(CONFIG("{ use = \"rate_limit\"; key = \"ip+route\"; ipv6_prefix = 48; }"),
         {{"/metrics", "X-Forwarded-For: 2001:db8:0:1::1\r\n", 1},
          {"/metrics", "X-Forwarded-For: 2001:db8:0:2::1\r\n", 0},
          {"/a", "X-Forwarded-For: 2001:db8:0:2::1\r\n", 1},
          {"/metrics", "X-Forwarded-For: 2001:db8:1::1\r\n", 1},
          {"/metrics", "X-Forwarded-For: 2001:db8:0:3::1\r\n", -1}});
}

Test(limit_options, costs_and_exemptions)
{
    WALK(CONFIG("{ use = \"rate_limit\"; quota = 10; costs = ( { match = \"POST /dear/*\"; cost = 9; }, "
                "{ match = \"GET /dear/*\"; cost = 4; }, { match = \"/free\"; cost = 0; } ); }"),
         {{"/cheap", NULL, 9},
          {"/dear/x", NULL, 5},
          {"/free", NULL, -2},
          {"/dear/y", NULL, 1},
          {"/dear/y", NULL, -1},
          {"/cheap", NULL, 0},
          {"/cheap", NULL, -1},
          {"/free", NULL, -2}});
    WALK(CONFIG("{ use = \"rate_limit\"; exempt_networks = ( \"192.0.2.0/24\", \"2001:db8::/32\" ); "
                "exempt_routes = ( \"GET /assets/*\", \"/metrics\" ); }"),
         {{"/a", "X-Forwarded-For: 192.0.2.200\r\n", -2},
          {"/a", "X-Forwarded-For: 2001:db8::1\r\n", -2},
          {"/assets/a.js", NULL, -2},
          {"/metrics", NULL, -2},
          {"/assets", NULL, 1},
          {"/a", "X-Forwarded-For: 192.0.3.1\r\n", 1}});
    struct test_server server;
    start(&server, CONFIG("{ use = \"rate_limit\"; methods = ( \"POST\", \"DELETE\" ); }"));
    cr_assert_eq(left(&server, "GET", "/a", NULL), -2);
    cr_assert_eq(left(&server, "POST", "/a", NULL), 1);
    cr_assert_eq(left(&server, "DELETE", "/a", NULL), 0);
    cr_assert_eq(left(&server, "POST", "/a", NULL), -1);
    cr_assert_eq(left(&server, "GET", "/a", NULL), -2);
    cr_assert_eq(server_stop(&server), 0);
}

static void expect(const struct test_server *server, const char *target, unsigned status,
                   const char *const headers[][2])
{
    struct http_reply reply;
    http_call(server->port, "GET", target, NULL, NULL, &reply);
    cr_assert_eq(reply.status, status, "%s", reply.head);
    for (size_t i = 0; headers[i][0]; i++) {
        const char *value = http_header(&reply, headers[i][0]);
        cr_assert(value, "no %s: %s", headers[i][0], reply.head);
        cr_assert_str_eq(value, headers[i][1], "%s", headers[i][0]);
        char line[64];
        (void)snprintf(line, sizeof(line), "\n%s:", headers[i][0]);
        const char *first = strcasestr(reply.head, line);
        cr_assert(first && !strcasestr(first + 1, line), "once: %s", reply.head);
    }
    http_reply_free(&reply);
}

Test(limit_options, what_a_reply_says)
{
    static const char config[] = CONFIG(
        "{ use = \"rate_limit\"; as = \"outer\"; limits = ( { quota = 3; window = \"1h\"; }, { quota = 100; window = "
        "\"2h\"; } ); }, { use = \"rate_limit\"; as = \"inner\"; algorithm = \"gcra\"; quota = 60; burst = 2; window = "
        "\"1h\"; key = \"route\"; }");
    static const char policy[] = "\"outer\";q=3;w=3600, \"outer.2\";q=100;w=7200, \"inner\";q=60;w=3600";
    struct test_server server;
    start(&server, config);
    expect(&server, "/a", 404,
           (const char *const[][2]){{"RateLimit-Policy", policy},
                                    {"RateLimit", "\"outer\";r=2;t=3600, \"outer.2\";r=99;t=7200, \"inner\";r=1;t=60"},
                                    {"X-RateLimit-Limit", "60"},
                                    {"X-RateLimit-Remaining", "1"},
                                    {NULL, NULL}});
    expect(&server, "/metrics", 200,
           (const char *const[][2]){
               {"RateLimit-Policy", policy}, {"X-RateLimit-Limit", "3"}, {"X-RateLimit-Remaining", "1"}, {NULL, NULL}});
    expect(&server, "/a", 404,
           (const char *const[][2]){{"X-RateLimit-Limit", "3"}, {"X-RateLimit-Remaining", "0"}, {NULL, NULL}});
    /* Refused by the outer ones: the inner one is not asked, and the wider of the two has not counted it. */
    struct http_reply reply;
    http_call(server.port, "GET", "/a", NULL, NULL, &reply);
    cr_assert_eq(reply.status, 429);
    cr_assert_str_eq(http_header(&reply, "RateLimit-Policy"), "\"outer\";q=3;w=3600, \"outer.2\";q=100;w=7200");
    cr_assert_eq(strncmp(http_header(&reply, "RateLimit"), "\"outer\";r=0;t=3", 15), 0, "%s", reply.head);
    cr_assert(strstr(http_header(&reply, "RateLimit"), "\"outer.2\";r=97;t="), "%s", reply.head);
    int wait = atoi(http_header(&reply, "Retry-After"));
    cr_assert(wait > 3590 && wait <= 3601, "%d", wait);
    cr_assert(strstr(reply.body, "Too many requests. Limit: 3 requests per 3600000ms. Please try again later."));
    http_reply_free(&reply);
    cr_assert_eq(server_stop(&server), 0);
}

/* Two instances of the plugin: still one of each, and the tighter one's. */
Test(limit_options, two_instances)
{
    static const char *const orders[] = {
        CONFIG_WITH(", { use = \"rate_limit\"; name = \"other\"; quota = 1; window = \"1h\"; }",
                    "\"rate_limit\", \"other\""),
        CONFIG_WITH(", { use = \"rate_limit\"; name = \"other\"; quota = 1; window = \"1h\"; }",
                    "\"other\", \"rate_limit\"")};
    for (size_t i = 0; i < 2; i++) {
        struct test_server server;
        start(&server, orders[i]);
        for (int n = 0; n < 2; n++)
            expect(&server, "/a", n == 0 ? 404 : 429,
                   (const char *const[][2]){{"X-RateLimit-Limit", "1"}, {"X-RateLimit-Remaining", "0"}, {NULL, NULL}});
        cr_assert_eq(server_stop(&server), 0);
    }
}

/* Behind auth: each user has a quota, whatever the address, and some have none. */
Test(limit_options, users)
{
    static const char config[] =
        "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; };\n"
        "plugins: ( { use = \"health\"; }, { use = \"sqlite\"; }, { use = \"todos\"; }, { use = \"auth\"; secret = "
        "\"0123456789abcdef0123456789abcdef\"; },\n"
        "{ use = \"rate_limit\"; quota = 2; window = \"1h\"; key = \"user\"; exempt_users = ( \"${EXEMPT}\" ); },\n"
        "{ use = \"redis\"; when = \"REDIS_URL\"; url = \"${REDIS_URL}\"; prefix = \"${PORT}:\"; } );\n"
        "pipelines: { open = ( ); base = ( \"auth\", \"rate_limit\" ); };\n"
        "routes: ( { match = \"/health/*\"; pipeline = \"open\"; }, { match = \"/api/v1/auth/*\"; pipeline = \"open\"; "
        "}, "
        "{ match = \"/*\"; pipeline = \"base\"; } );\n";
    struct test_server server;
    struct http_reply reply;
    char redis[256], exempt[64] = "EXEMPT=00000000-0000-7000-8000-000000000000", folder[sizeof(server.folder)];
    const char *const environment[] = {redis, exempt, NULL};
    (void)snprintf(redis, sizeof(redis), "REDIS_URL=%s", getenv("TEST_REDIS_URL") ? getenv("TEST_REDIS_URL") : "");
    server_start(&server, &(struct server_options){.config = config, .environment = environment});
    char *ada = http_login(server.port, "ada@example.com"), *bob = http_login(server.port, "bob@example.com");
    cr_assert_eq(left(&server, "GET", "/api/v1/todos", ada), 1);
    cr_assert_eq(left(&server, "GET", "/api/v1/todos", bob), 1);
    cr_assert_eq(left(&server, "GET", "/api/v1/todos", ada), 0);
    cr_assert_eq(left(&server, "GET", "/api/v1/todos", ada), -1);
    cr_assert_eq(left(&server, "GET", "/api/v1/todos", bob), 0);
    http_call(server.port, "POST", "/api/v1/auth/login", NULL,
              "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}", &reply);
    json_t *body = http_json(&reply);
    (void)snprintf(exempt, sizeof(exempt), "EXEMPT=%s", http_json_text(body, "user.id"));
    json_decref(body);
    http_reply_free(&reply);
    memcpy(folder, server.folder, sizeof(folder));
    cr_assert_eq(server_stop_keep(&server), 0);

    server_start(&server, &(struct server_options){.config = config, .environment = environment, .folder = folder});
    for (int i = 0; i < 5; i++)
        cr_assert_eq(left(&server, "GET", "/api/v1/todos", ada), -2);
    cr_assert_geq(left(&server, "GET", "/api/v1/todos", bob), -1);
    free(ada);
    free(bob);
    cr_assert_eq(server_stop(&server), 0);
}
