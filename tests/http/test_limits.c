/* SPDX-License-Identifier: MIT */
/* The limits and the metrics, from outside and over several workers; in memory, or below with_services in Redis. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define CONFIG(stages)                                                                                             \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); workers = 2; data = \"${BACKPLANE_DATA}\"; };\n" \
    "plugins: ( { use = \"health\"; }, { use = \"metrics\"; }, { use = \"rate_limit\"; quota = 30; },\n"           \
    "{ use = \"redis\"; when = \"REDIS_URL\"; url = \"${REDIS_URL}\"; prefix = \"${PORT}:\"; } );\n"               \
    "pipelines: { ops = ( \"metrics\" ); base = ( \"metrics\", " stages " ); };\n"                                 \
    "routes: ( { match = \"/health/*\"; pipeline = \"ops\"; }, { match = \"/metrics\"; pipeline = \"ops\"; }, "    \
    "{ match = \"/*\"; pipeline = \"base\"; } );\n"

static void start(struct test_server *server, const char *config)
{
    static char variable[256];
    const char *const environment[] = {variable, NULL};
    const char *url = getenv("TEST_REDIS_URL");
    (void)snprintf(variable, sizeof(variable), "REDIS_URL=%s", url ? url : "");
    server_start(server, &(struct server_options){.config = config, .environment = environment});
}

static long long number(const struct http_reply *reply, const char *name)
{
    const char *text = http_header(reply, name);
    return text ? atoll(text) : -1;
}

static long long wall_milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The value of one line of /metrics; -1 when it is not there. */
static double metric(const struct test_server *server, const char *series)
{
    struct http_reply reply;
    double value = -1;
    size_t len = strlen(series);
    http_call(server->port, "GET", "/metrics", NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200);
    for (const char *line = reply.body; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, series, len) == 0 && line[len] == ' ')
            value = strtod(line + len, NULL);
    http_reply_free(&reply);
    return value;
}

Test(limits, a_burst_over_all_workers_is_exactly_the_quota)
{
    struct test_server server;
    struct http_reply reply;
    start(&server, CONFIG("\"rate_limit\""));
    for (int i = 0; i < 30; i++) { /* a connection each: either worker may get it */
        long long before = wall_milliseconds();
        http_call(server.port, "GET", "/x", NULL, NULL, &reply);
        cr_assert_eq(reply.status, 404);
        cr_assert_eq(number(&reply, "X-RateLimit-Limit"), 30);
        cr_assert_eq(number(&reply, "X-RateLimit-Remaining"), 29 - i);
        cr_assert_gt(number(&reply, "X-RateLimit-Reset"), before);
        cr_assert_leq(number(&reply, "X-RateLimit-Reset"), wall_milliseconds() + 60001);
        cr_assert_null(http_header(&reply, "Retry-After"));
        http_reply_free(&reply);
    }
    for (int i = 0; i < 5; i++) {
        http_call(server.port, "GET", "/x", NULL, NULL, &reply);
        cr_assert_eq(reply.status, 429);
        json_t *body = http_json(&reply);
        cr_assert_str_eq(http_json_text(body, "message"),
                         "Too many requests. Limit: 30 requests per 60000ms. Please try again later.");
        cr_assert_str_eq(http_json_text(body, "status"), "fail");
        json_decref(body);
        cr_assert_eq(number(&reply, "X-RateLimit-Remaining"), 0);
        cr_assert_gt(number(&reply, "Retry-After"), 0);
        cr_assert_leq(number(&reply, "Retry-After"), 61);
        http_reply_free(&reply);
    }
    http_call(server.port, "GET", "/health/live", NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200, "probes are not limited");
    cr_assert_null(http_header(&reply, "X-RateLimit-Limit"));
    http_reply_free(&reply);
    cr_assert_eq(metric(&server, "backplane_ratelimit_decisions_total{stage=\"base.rate_limit\",decision=\"allowed\"}"),
                 30);
    cr_assert_eq(metric(&server, "backplane_ratelimit_decisions_total{stage=\"base.rate_limit\",decision=\"refused\"}"),
                 5);
    cr_assert_eq(server_stop(&server), 0);
}

Test(limits, a_reply_speaks_of_the_tighter_of_its_limits)
{
    static const char *const configs[] = {
        CONFIG("{ use = \"rate_limit\"; quota = 3; }, { use = \"rate_limit\"; as = \"inner\"; quota = 100; }"),
        CONFIG("{ use = \"rate_limit\"; quota = 100; }, { use = \"rate_limit\"; as = \"inner\"; quota = 3; }"),
        CONFIG("{ use = \"rate_limit\"; quota = 100; }, { use = \"rate_limit\"; as = \"inner\"; quota = 3; algorithm = "
               "\"gcra\"; window = \"1h\"; }")};
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        struct test_server server;
        struct http_reply reply;
        start(&server, configs[i]);
        for (int n = 0; n < 4; n++) {
            http_call(server.port, "GET", "/x", NULL, NULL, &reply);
            cr_assert_eq(reply.status, n < 3 ? 404 : 429, "config %zu", i);
            cr_assert_eq(number(&reply, "X-RateLimit-Limit"), 3, "config %zu", i);
            cr_assert_eq(number(&reply, "X-RateLimit-Remaining"), n < 3 ? 2 - n : 0, "config %zu", i);
            http_reply_free(&reply);
        }
        cr_assert_eq(server_stop(&server), 0);
    }
}

Test(limits, the_window_ends)
{
    struct test_server server;
    struct http_reply reply;
    unsigned status = 429;
    server_start(&server,
                 &(struct server_options){.config = CONFIG("{ use = \"rate_limit\"; quota = 3; window = \"1s\"; }")});
    long long began = wall_milliseconds();
    for (int n = 0; n < 4; n++) {
        http_call(server.port, "GET", "/x", NULL, NULL, &reply);
        cr_assert_eq(reply.status, n < 3 ? 404 : 429);
        http_reply_free(&reply);
    }
    while (status == 429 && wall_milliseconds() < began + 10000) {
        http_call(server.port, "GET", "/x", NULL, NULL, &reply);
        status = reply.status;
        http_reply_free(&reply);
    }
    cr_assert_eq(status, 404);
    cr_assert_geq(wall_milliseconds(), began + 1000);
    cr_assert_eq(server_stop(&server), 0);
}

Test(limits, a_per_user_limit_without_identity_is_refused)
{
    char *output;
    int code = server_refuses(
        &(struct server_options){.config = CONFIG("{ use = \"rate_limit\"; as = \"per_user\"; key = \"user\"; }")},
        &output);
    cr_assert_eq(code, 1);
    cr_assert_not_null(strstr(output, "per_user"), "%s", output);
    free(output);
}

Test(limits, wrong_options_are_refused)
{
    static const char *const configs[] = {
        CONFIG("{ use = \"rate_limit\"; quota = 0; }"),
        CONFIG("{ use = \"rate_limit\"; quota = 1000000001; }"),
        CONFIG("{ use = \"rate_limit\"; key = \"cookie\"; }"),
        CONFIG("{ use = \"rate_limit\"; burst = 3; }"),
        CONFIG("{ use = \"rate_limit\"; store = \"redis\"; }"),
        CONFIG("{ use = \"rate_limit\"; quota = 4; costs = ( { match = \"/a\"; cost = 5; } ); }"),
        CONFIG("{ use = \"rate_limit\"; costs = ( { match = \"a\"; cost = 5; } ); }"),
        CONFIG("{ use = \"rate_limit\"; exempt_networks = ( \"10/8\" ); }"),
        CONFIG("{ use = \"rate_limit\"; exempt_users = ( \"ada\" ); }"),
        CONFIG("{ use = \"rate_limit\"; algorithm = \"gcra\"; quota = 1; window = \"366d\"; burst = 1000; }"),
        CONFIG("{ use = \"rate_limit\"; algorithm = \"gcra\"; quota = 1000001; window = \"1ms\"; }")};
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        char *output;
        cr_assert_eq(server_refuses(&(struct server_options){.config = configs[i]}, &output), 1, "config %zu", i);
        cr_assert_not_null(strstr(output, "rate_limit"), "config %zu: %s", i, output);
        free(output);
    }
}

Test(metrics, the_text_is_what_prometheus_reads)
{
    struct test_server server;
    struct http_reply reply;
    start(&server, CONFIG("\"rate_limit\""));
    http_call(server.port, "GET", "/metrics", NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200);
    cr_assert_str_eq(http_header(&reply, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    cr_assert_not_null(strstr(reply.body, "# TYPE http_server_request_duration_seconds histogram\n"));
    cr_assert_not_null(strstr(reply.body, "# TYPE process_cpu_seconds_total counter\n"));
    cr_assert_not_null(strstr(reply.body, "\nbackplane_build_info{version=\"1.0.0\"} 1\n"));
    int lines = 0;
    for (const char *line = reply.body; (line = strchr(line, '\n')); line++)
        lines++;
    cr_assert_lt(lines, 2000);
    http_reply_free(&reply);
    double start = metric(&server, "process_start_time_seconds");
    double now = (double)wall_milliseconds() / 1000;
    cr_assert(start > now - 60 && start <= now + 1, "%f", start);
    cr_assert_gt(metric(&server, "process_resident_memory_bytes"), 1000000);
    cr_assert_gt(metric(&server, "process_open_fds"), 10);
    cr_assert_eq(server_stop(&server), 0);
}

Test(metrics, counts_survive_a_worker_and_gauges_do_not)
{
    static const char count[] =
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"\","
        "http_response_status_code=\"404\"}";
    struct test_server server;
    struct http_reply reply;
    pid_t workers[4];
    start(&server, CONFIG("\"rate_limit\""));
    for (int i = 0; i < 20; i++) {
        http_call(server.port, "GET", i % 2 ? "/a" : "/b?c", NULL, NULL, &reply);
        http_reply_free(&reply);
    }
    /* What a worker has just answered, another one may not have been told yet. */
    long long begun = 0;
    while (metric(&server, count) != 20)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "%f", metric(&server, count));
    double cpu = metric(&server, "process_cpu_seconds_total");
    cr_assert_eq(server_workers(&server, workers, 4), 2);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(kill(workers[i], SIGKILL), 0);
    cr_assert(server_wait_output(&server, "was killed by SIGKILL"));
    cr_assert_eq(metric(&server, count), 20);
    cr_assert_geq(metric(&server, "process_cpu_seconds_total"), cpu);
    /* A worker killed just behind its last reply has not counted it down: its part is zeroed when it is reaped. */
    begun = 0;
    while (metric(&server, "http_server_active_requests") != 1) /* the scrape itself */
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS));
    cr_assert_eq(metric(&server, "backplane_build_info{version=\"1.0.0\"}"), 1);
    cr_assert_eq(server_stop(&server), 0);
}
