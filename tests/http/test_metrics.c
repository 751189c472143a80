/* SPDX-License-Identifier: MIT */
/* What a scraper sees, judged by Prometheus' own tools; and that nobody who asks, and no worker that dies, can spoil it. */
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

#define ACCEPT_OPEN "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"

static struct test_server server;

TestSuite(metrics, .timeout = 60);

/* free() it. */
static char *scrape(const char *headers)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/metrics", headers, NULL, &reply);
    cr_assert_eq(reply.status, 200);
    cr_assert_eq(strlen(reply.body), reply.body_len);
    char *text = strdup(reply.body);
    http_reply_free(&reply);
    return text;
}

/* Gives text to a command in a file whose name comes behind it; its exit status and output. */
static int judge(const char *command, const char *text, char *ret_output, size_t size)
{
    char file[128], line[1024];
    snprintf(file, sizeof(file), "%s/exposition", server.folder);
    FILE *stream = fopen(file, "w");
    cr_assert(stream && fputs(text, stream) >= 0 && fclose(stream) == 0);
    snprintf(line, sizeof(line), "%s %s 2>&1", command, file);
    stream = popen(line, "r"); // NOLINT(cert-env33-c): constants and a folder of the test's
    cr_assert(stream);
    ret_output[fread(ret_output, 1, size - 1, stream)] = '\0';
    return pclose(stream);
}

static size_t samples(const char *text)
{
    size_t count = 0;
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        count += *line != '#';
    return count;
}

/* The value of the sample that begins so; -1: there is none. */
static double value_of(const char *text, const char *sample)
{
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, sample, strlen(sample)) == 0)
            return strtod(strchr(line, '\n')[-1] == '}' ? "-1" : line + strlen(sample), NULL);
    return -1;
}

Test(metrics, both_formats_please_prometheus_and_a_fresh_server_has_few_series)
{
    struct http_reply reply;
    char output[4096];
    server_start(&server, &(struct server_options){0});
    http_call(server.port, "GET", "/metrics", NULL, NULL, &reply);
    cr_assert_str_eq(http_header(&reply, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    cr_assert_str_eq(http_header(&reply, "Cache-Control"), "no-store");
    http_reply_free(&reply);
    http_call(server.port, "GET", "/metrics", ACCEPT_OPEN, NULL, &reply);
    cr_assert_str_eq(http_header(&reply, "Content-Type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    cr_assert(strstr(http_header(&reply, "Vary"), "Accept"));
    http_reply_free(&reply);

    char *text = scrape(NULL), *open = scrape(ACCEPT_OPEN);
    cr_expect_eq(judge("promtool check metrics <", text, output, sizeof(output)), 0, "%s", output);
    cr_expect_eq(
        judge("/usr/bin/python3 " BACKPLANE_SOURCE_ROOT "/tests/http/openmetrics.py", open, output, sizeof(output)), 0,
        "%s", output);
    cr_expect_lt(samples(text), 2000);
    cr_expect_gt(samples(text), 50);
    free(text);
    free(open);
    cr_assert_eq(server_stop(&server), 0);
}

static void expect(const char *method, const char *target, const char *headers, const char *body, unsigned status)
{
    struct http_reply reply;
    http_call(server.port, method, target, headers, body, &reply);
    cr_assert_eq(reply.status, status, "%s %s: %u %s", method, target, reply.status, reply.body);
    http_reply_free(&reply);
}

#define ATTEMPTS(kind, outcome) "backplane_auth_attempts_total{kind=\"" kind "\",outcome=\"" outcome "\"} "

Test(metrics, who_gets_in_is_counted_by_outcome)
{
    static const char good[] = "{\"email\":\"a@example.com\",\"password\":\"Passw0rd!\"}";
    static const char bad[] = "{\"email\":\"a@example.com\",\"password\":\"Passw0rd?\"}";
    static const char *const environment[] = {"LOGIN_MAX_FAILURES=2", NULL};
    static const struct {
        const char *sample;
        double value;
    } expected[] = {{ATTEMPTS("sign_up", "ok"), 1},
                    {ATTEMPTS("sign_up", "taken"), 1},
                    {ATTEMPTS("login", "ok"), 1},
                    {ATTEMPTS("login", "failed"), 2},
                    {ATTEMPTS("login", "locked_out"), 1},
                    {ATTEMPTS("login", "disabled"), 0},
                    {ATTEMPTS("refresh", "ok"), 0},
                    {ATTEMPTS("refresh", "invalid"), 1},
                    {ATTEMPTS("refresh", "reused"), 0},
                    {ATTEMPTS("token", "ok"), 2},
                    {ATTEMPTS("token", "missing"), 1},
                    {ATTEMPTS("token", "invalid"), 1},
                    {ATTEMPTS("token", "expired"), 0},
                    {ATTEMPTS("token", "ended"), 1},
                    {ATTEMPTS("api_key", "ok"), 0},
                    {ATTEMPTS("api_key", "invalid"), 1},
                    {"backplane_auth_password_hashes_total ", 4},
                    {"backplane_auth_hash_slots ", 0},
                    {"backplane_auth_hashes_waiting ", 0},
                    {"backplane_auth_hashes_refused_total ", 0}};
    static const char *const always_asked[] = {"--set", "plugins.auth.account_check_interval=0s", NULL};
    server_start(&server, &(struct server_options){.environment = environment, .arguments = always_asked});
    char *bearer = http_login(server.port, "a@example.com");
    expect("POST", "/api/v1/auth/sign-up", NULL, good, 409);
    expect("POST", "/api/v1/auth/refresh", NULL, "{\"refreshToken\":\"x\"}", 401);
    expect("GET", "/api/v1/todos", bearer, NULL, 200);
    expect("GET", "/api/v1/todos", NULL, NULL, 401);
    expect("GET", "/api/v1/todos", "Authorization: Bearer x.y.z\r\n", NULL, 401);
    expect("GET", "/api/v1/todos", "X-API-Key: bpk_x\r\n", NULL, 401);
    expect("POST", "/api/v1/auth/logout-all", bearer, NULL, 200);
    expect("GET", "/api/v1/todos", bearer, NULL, 401);
    for (int i = 0; i < 3; i++)
        expect("POST", "/api/v1/auth/login", NULL, bad, i < 2 ? 401 : 429);
    char *text = scrape(NULL);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_expect_float_eq(value_of(text, expected[i].sample), expected[i].value, 0.1, "%s %f", expected[i].sample,
                           value_of(text, expected[i].sample));
    cr_expect_geq(value_of(text, "backplane_auth_hash_slots_limit "), 1);
    free(text);
    free(bearer);
    cr_assert_eq(server_stop(&server), 0);
}

Test(metrics, hostile_requests_make_no_series)
{
    static const char *const quiet[] = {"JOB_WORKERS=0", NULL}; /* what is done in the background makes series, too */
    char output[4096];
    server_start(&server, &(struct server_options){.environment = quiet});
    char *before = scrape(NULL);
    for (int i = 0; i < 600; i++) {
        char request[512];
        size_t len;
        snprintf(request, sizeof(request),
                 "%s%d /api/v1/%d%%22%%0A%%FF{}\"} HTTP/1.1\r\nHost: x\r\nUser-Agent: \"\\\xff} 1\r\nX-Request-ID: "
                 "a\"b%d\r\nConnection: close\r\n\r\n",
                 i % 2 ? "GET" : "BREW", i, i, i);
        if (i % 3 == 0)
            snprintf(request, sizeof(request),
                     "GET /nowhere/%d?%d=\"%%22 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", i, i);
        free(http_raw(server.port, request, strlen(request), &len));
    }
    char *after = scrape(NULL), *open = scrape(ACCEPT_OPEN);
    cr_expect_lt(samples(after), samples(before) + 17 * 10, "%zu and %zu", samples(before), samples(after));
    cr_expect_eq(judge("promtool check metrics <", after, output, sizeof(output)), 0, "%s", output);
    cr_expect_eq(
        judge("/usr/bin/python3 " BACKPLANE_SOURCE_ROOT "/tests/http/openmetrics.py", open, output, sizeof(output)), 0,
        "%s", output);
    cr_expect_null(strstr(after, "_overflow"));
    free(before);
    free(after);
    free(open);
    cr_assert_eq(server_stop(&server), 0);
}

#define FOUND                                                                                      \
    "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/health/" \
    "live\",http_response_status_code="                                                            \
    "\"200\"}"

Test(metrics, any_worker_says_the_sum_and_a_death_takes_nothing_from_it)
{
    pid_t workers[4], now[4];
    double last = 0;
    server_start(&server,
                 &(struct server_options){.arguments = (const char *const[]){"--set", "server.workers=2", NULL}});
    for (int i = 0; i < 2000 && server_workers(&server, workers, 4) != 2; i++)
        (void)poll(NULL, 0, 5);
    cr_assert_eq(server_workers(&server, workers, 4), 2);
    char *text = scrape(NULL);
    double first = value_of(text, FOUND);
    free(text);
    for (int i = 1; i <= 60; i++) {
        struct http_reply reply;
        http_call(server.port, "GET", "/health/live", NULL, NULL, &reply);
        http_reply_free(&reply);
        if (i == 30) {
            cr_assert_eq(kill(workers[0], SIGKILL), 0);
            cr_assert(server_wait_output(&server, "worker.died"));
            for (int turn = 0; turn < 2000 && (server_workers(&server, now, 4) != 2 || now[0] == workers[0]); turn++)
                (void)poll(NULL, 0, 5);
        }
        if (i % 10 == 0 || i == 30) {
            text = scrape(NULL); /* by whichever worker takes the connection */
            double value = value_of(text, FOUND);
            cr_expect_geq(value, last);
            cr_expect_geq(value, first + i - 1); /* the last may be counted a moment after its reply was read */
            last = value;
            free(text);
        }
    }
    cr_assert_eq(server_stop(&server), 0);
}

Test(metrics, a_sampled_trace_is_the_exemplar_of_its_bucket)
{
    static const char trace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
    char header[128], output[4096], exemplar[128];
    struct http_reply reply;
    server_start(&server, &(struct server_options){.environment = (const char *const[]){
                                                       "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9", NULL}});
    snprintf(header, sizeof(header), "traceparent: 00-%s-00f067aa0ba902b7-01\r\n", trace);
    http_call(server.port, "GET", "/api/v1/todos", header, NULL, &reply);
    http_reply_free(&reply);
    snprintf(exemplar, sizeof(exemplar), " # {trace_id=\"%s\",span_id=\"", trace);
    char *open = scrape(ACCEPT_OPEN), *plain = scrape(NULL);
    const char *found = strstr(open, exemplar);
    cr_expect(found, "%s", open);
    cr_expect_null(strstr(plain, " # {"));
    while (found && found > open && found[-1] != '\n')
        found--;
    cr_expect(found && strncmp(found, "http_server_request_duration_seconds_bucket{", 44) == 0);
    cr_expect_eq(
        judge("/usr/bin/python3 " BACKPLANE_SOURCE_ROOT "/tests/http/openmetrics.py", open, output, sizeof(output)), 0,
        "%s", output);
    free(open);
    free(plain);
    (void)server_stop(&server);
}

#define PROBES(server_options)                                                                                  \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n" \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; " server_options " };\n"                          \
    "plugins: ( { use = \"probe\"; }, { use = \"metrics\"; }, { use = \"health\"; } );\n"                       \
    "pipelines: { base = ( \"metrics\", { use = \"probe\"; mode = \"pass\"; } ); };\n"                          \
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n"

/* Waits until the sample has the value: what a worker and the supervisor have of themselves is brought up to date once a second. */
static bool becomes(const char *sample, double wanted)
{
    for (int i = 0; i < 2000; i++) {
        struct http_reply reply;
        if (http_try(server.port, "GET", "/metrics", NULL, NULL, &reply)) {
            double value = value_of(reply.body, sample);
            http_reply_free(&reply);
            if (value == wanted)
                return true;
        }
        (void)poll(NULL, 0, 5);
    }
    return false;
}

static void ask(const char *target, int times)
{
    struct http_reply reply;
    for (int i = 0; i < times; i++)
        if (http_try(server.port, "GET", target, NULL, NULL, &reply))
            http_reply_free(&reply);
}

#define FAULTS "backplane_plugin_faults_total{plugin=\"probe\",kind="
#define HOOKS "backplane_plugin_hook_duration_seconds_"

Test(metrics, time_and_faults_of_plugins)
{
    server_start(&server, &(struct server_options){.config = PROBES("")});
    char *text = scrape(NULL);
    cr_expect_eq(value_of(text, FAULTS "\"crash\"}"), 0);
    cr_expect_eq(value_of(text, FAULTS "\"error\"}"), 0);
    cr_expect_eq(value_of(text, "backplane_plugin_faults_total{plugin=\"metrics\",kind=\"timeout\"}"), 0);
    double before = value_of(text, HOOKS "count{plugin=\"probe\",hook=\"handler\"}");
    double slept = value_of(text, HOOKS "sum{plugin=\"probe\",hook=\"handler\"}");
    double around = value_of(text, HOOKS "sum{plugin=\"metrics\",hook=\"middleware\"}");
    free(text);

    ask("/probe/sleep/10", 16); /* one of these is timed, wherever the count stands */
    text = scrape(NULL);
    cr_expect_eq(value_of(text, HOOKS "count{plugin=\"probe\",hook=\"handler\"}"), before + 1);
    cr_expect_geq(value_of(text, HOOKS "sum{plugin=\"probe\",hook=\"handler\"}"), slept + 0.01);
    cr_expect_lt(value_of(text, HOOKS "sum{plugin=\"metrics\",hook=\"middleware\"}"), around + 0.01,
                 "only its own time");
    free(text);

    ask("/probe/status/error", 2);
    ask("/probe/status/busy", 3);
    ask("/probe/never", 1);
    ask("/nowhere", 5);
    text = scrape(NULL);
    cr_expect_eq(value_of(text, FAULTS "\"error\"}"), 3);
    cr_expect_eq(value_of(text, FAULTS "\"unavailable\"}"), 3);
    cr_expect_eq(value_of(text, FAULTS "\"timeout\"}"), 0);
    free(text);
    cr_assert_eq(server_stop(&server), 0);
}

Test(metrics, the_server_about_itself)
{
    int fds[3];
    server_start(&server, &(struct server_options){.config = PROBES("max_connections = 50;")});
    cr_expect(becomes("backplane_workers", 1));
    cr_expect(becomes("backplane_config_last_reload_successful", 1));
    for (int i = 0; i < 3; i++) {
        struct http_reply reply;
        fds[i] = http_connect(server.port);
        cr_assert(http_send_text(fds[i], "GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\n") &&
                  http_read(fds[i], false, &reply));
        http_reply_free(&reply);
    }
    ask("/probe/offload/1", 3);
    cr_expect(becomes("backplane_connections", 3) || becomes("backplane_connections", 4), "kept ones, and the scrape");
    cr_expect(becomes("backplane_offload_done_total", 3));
    char *text = scrape(NULL);
    cr_expect_eq(value_of(text, "backplane_connections_limit"), 50);
    cr_expect_geq(value_of(text, "backplane_connections_accepted_total"), 7);
    cr_expect_geq(value_of(text, "backplane_fibers_started_total"), 7);
    cr_expect_geq(value_of(text, "backplane_fibers{state=\"pooled\"}"), 1);
    cr_expect_geq(value_of(text, "backplane_offload_threads"), 1);
    cr_expect_eq(value_of(text, "backplane_offload_jobs{state=\"queued\"}"), 0);
    cr_expect_gt(value_of(text, "backplane_offload_wait_seconds_total"), 0);
    cr_expect_gt(value_of(text, "backplane_arena_bytes{state=\"used\"}"), 0);
    cr_expect_gt(value_of(text, "backplane_shared_memory_bytes{state=\"used\"}"), 4096);
    cr_expect_gt(value_of(text, "backplane_config_last_reload_success_timestamp_seconds"), 1.7e9);
    cr_expect_gt(value_of(text, "process_start_time_seconds"), 1.7e9);
    cr_expect_eq(value_of(text, "backplane_build_info{version=\"" BACKPLANE_VERSION "\"}"), 1);
    cr_expect_eq(value_of(text, "backplane_worker_restarts_total{reason=\"killed\"}"), 0);
    free(text);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    cr_assert_eq(server_stop(&server), 0);
}

#ifndef BP_SANITIZE /* which makes a report of each crash */
Test(metrics, what_dies_is_counted)
{
    server_start(&server, &(struct server_options){.config = PROBES("stall_timeout = \"2s\";")});
    ask("/probe/crash", 1);
    cr_expect(becomes("backplane_worker_restarts_total{reason=\"killed\"}", 1));
    cr_expect(becomes(FAULTS "\"crash\"}", 1));
    cr_expect(becomes("backplane_workers", 1));
    cr_expect(becomes("backplane_config_last_reload_successful", 1), "the dead worker's slot is the supervisor's, too");
    int fd = http_connect(server.port);
    cr_assert(http_send_text(fd, "GET /probe/block/60000 HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_assert(server_wait_output(&server, "worker.stalled"));
    close(fd);
    cr_expect(becomes("backplane_worker_restarts_total{reason=\"stalled\"}", 1));
    cr_expect(becomes(FAULTS "\"stall\"}", 1));
    (void)server_stop(&server);
}
#endif

#define BUCKETS(list)                                                                                 \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; };\n" \
    "plugins: ( { use = \"metrics\"; buckets = ( " list " ); }, { use = \"health\"; } );\n"           \
    "pipelines: { base = ( \"metrics\" ); }; routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n"

Test(metrics, buckets_are_an_option)
{
    static const char *const refused[] = {BUCKETS("0.5, 0.5"), BUCKETS("0.0"), BUCKETS("2, 1")};
    server_start(&server, &(struct server_options){.config = BUCKETS("0.25, 60")});
    ask("/health/live", 2);
    char *text = scrape(NULL);
    cr_expect(strstr(text, ",http_response_status_code=\"200\",le=\"0.25\"} "));
    cr_expect(strstr(text, ",http_response_status_code=\"200\",le=\"60\"} "));
    cr_expect_null(strstr(text, ",http_response_status_code=\"200\",le=\"0.005\"} "));
    free(text);
    cr_assert_eq(server_stop(&server), 0);

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char *output;
        cr_expect_neq(server_refuses(&(struct server_options){.config = refused[i]}, &output), 0);
        cr_expect(strstr(output, "plugins.metrics.buckets: must ascend, from above 0\n"), "%s", output);
        free(output);
    }
}
