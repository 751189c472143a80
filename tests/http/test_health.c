/* SPDX-License-Identifier: MIT */
/* Readiness and reports over services that are up, down, silent and unfit; see patient.c. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define CONFIG(health, patients) SLOW_CONFIG("0s", health, patients)
#define SLOW_CONFIG(delay, health, patients)                                                                    \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n" \
    "  drain_delay = \"" delay "\"; plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                \
    "plugins: ( { use = \"health\"; " health " }, { use = \"metrics\"; }, " patients " );\n"                    \
    "pipelines: { base = ( \"metrics\" ); };\n"                                                                 \
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n"
#define DATABASE "{ use = \"patient\"; name = \"main\"; check = \"database\"; }"
#define REDIS "{ use = \"patient\"; name = \"store\"; check = \"redis\"; required = false; }"

static struct test_server server;

TestSuite(health, .timeout = 60);

static void start(const char *config)
{
    server_start(&server, &(struct server_options){.config = config});
}

/* Replaced in one step: the check never reads half of it. */
static void set(const char *instance, const char *text)
{
    char path[96], next[96];
    snprintf(path, sizeof(path), "%s/%s", server.folder, instance);
    snprintf(next, sizeof(next), "%s/%s.next", server.folder, instance);
    FILE *file = fopen(next, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    cr_assert_eq(rename(next, path), 0);
}

static long asked(const char *instance)
{
    char path[96];
    struct stat status;
    snprintf(path, sizeof(path), "%s/%s.asked", server.folder, instance);
    return stat(path, &status) == 0 ? (long)status.st_size : 0;
}

static unsigned get(const char *target, char *ret_body, size_t size)
{
    struct http_reply reply;
    http_call(server.port, "GET", target, NULL, NULL, &reply);
    unsigned status = reply.status;
    if (ret_body)
        snprintf(ret_body, size, "%s", reply.body);
    http_reply_free(&reply);
    return status;
}

static unsigned ready(void)
{
    return get("/health/ready", NULL, 0);
}

static bool becomes(unsigned status)
{
    for (int i = 0; i < 2000 && ready() != status; i++)
        (void)poll(NULL, 0, 5);
    return ready() == status;
}

static json_t *report(unsigned *ret_status)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/health/database", NULL, NULL, &reply);
    *ret_status = reply.status;
    json_t *body = http_json(&reply);
    http_reply_free(&reply);
    return body;
}

static bool shows(const char *line)
{
    static char text[65536];
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(get("/metrics", text, sizeof(text)), 200);
        if (strstr(text, line))
            return true;
        (void)poll(NULL, 0, 5);
    }
    fputs(text, stderr);
    return false;
}

Test(health, the_report)
{
    static const struct {
        const char *database, *redis;
        unsigned status;
        const char *state, *shown_database, *shown_redis, *first, *second;
    } cases[] = {
        {"up 15.4", "up", 200, "healthy", "Connected", "Connected", "up", "up"},
        {"up", "down refused", 200, "healthy", "Connected", "Disconnected", "up", "down"},
        {"down secret-host", "up", 503, "unhealthy", "Disconnected", "Unknown", "down", "up"},
        {"late", "down", 503, "unhealthy", "Disconnected", "Unknown", "down", "down"},
    };
    unsigned status;
    start(SLOW_CONFIG("10s", "interval = \"50ms\";", DATABASE ", " REDIS));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        set("main", cases[i].database);
        set("store", cases[i].redis);
        json_t *body = report(&status);
        for (int n = 0; n < 1000 && (strcmp(http_json_text(body, "checks.0.status"), cases[i].first) != 0 ||
                                     strcmp(http_json_text(body, "checks.1.status"), cases[i].second) != 0);
             n++) {
            json_decref(body);
            (void)poll(NULL, 0, 5);
            body = report(&status);
        }
        bool healthy = cases[i].status == 200;
        cr_expect_eq(status, cases[i].status, "case %zu: %u", i, status);
        cr_expect_str_eq(http_json_text(body, "status"), cases[i].state);
        cr_expect_str_eq(http_json_text(body, "services.database"), cases[i].shown_database);
        cr_expect_str_eq(http_json_text(body, "services.redis"), cases[i].shown_redis);
        cr_expect_eq(json_object_size(http_json_at(body, "services")), 2);
        cr_expect_str_eq(http_json_text(body, "message"), healthy ? "" : "Service unavailable");
        cr_expect_eq(json_is_number(http_json_at(body, "uptime")), healthy);
        cr_expect_eq(json_object_size(body), 5);
        cr_expect_str_eq(http_json_text(body, "checks.0.name"), "database");
        cr_expect_str_eq(http_json_text(body, "checks.0.instance"), "main");
        cr_expect(json_is_true(http_json_at(body, "checks.0.required")));
        cr_expect(json_is_false(http_json_at(body, "checks.1.required")));
        cr_expect(json_is_number(http_json_at(body, "checks.0.latencyMs")));
        cr_expect_null(http_json_at(body, "checks.0.detail"), "details are for operators");
        json_decref(body);
        cr_expect_eq(ready(), cases[i].status, "an optional service only warns");
    }
    cr_assert(shows("backplane_health_check_up{check=\"database\",instance=\"main\"} 0\n"));
    cr_assert(shows("backplane_health_check_up{check=\"redis\",instance=\"store\"} 0\n"));
    cr_assert(shows("backplane_health_check_failures_total{check=\"database\",instance=\"main\"} 1\n"));
    cr_assert(server_wait_output(&server, "\"event\":\"health.down\""));
    cr_assert(server_wait_output(&server, "\"detail\":\"secret-host\""));
    set("main", "up");
    cr_assert(becomes(200));
    cr_assert(shows("backplane_health_check_up{check=\"database\",instance=\"main\"} 1\n"));
    cr_assert(server_wait_output(&server, "\"event\":\"health.up\""));
    kill(server.pid, SIGTERM);
    cr_assert(becomes(503), "draining");
    cr_expect_eq(get("/health/live", NULL, 0), 200);
    kill(server.pid, SIGTERM);
    (void)server_stop(&server);
}

Test(health, details_are_chosen)
{
    char text[1024];
    start(CONFIG("details = \"full\"; interval = \"1m\";", DATABASE));
    set("main", "up 15.4, 3 of 4 connections");
    cr_assert_eq(get("/health/database", text, sizeof(text)), 200);
    cr_expect(strstr(text, ",\"services\":{\"database\":\"Connected\",\"redis\":\"Disabled\"},\"checks\":[{\"name\":"
                           "\"database\",\"instance\":\"main\",\"status\":\"up\",\"required\":true,\"latencyMs\":"),
              "%s", text);
    cr_expect(strstr(text, ",\"detail\":\"15.4, 3 of 4 connections\"}]}"), "%s", text);
    cr_assert_eq(server_stop(&server), 0);
    start(CONFIG("details = \"none\";", DATABASE));
    cr_assert_eq(get("/health/database", text, sizeof(text)), 200);
    cr_expect_null(strstr(text, "checks"), "%s", text);
    cr_assert_eq(server_stop(&server), 0);
}

Test(health, probes_are_no_load)
{
    start(CONFIG("interval = \"1m\";", DATABASE));
    for (int i = 0; i < 20; i++)
        cr_assert_eq(get("/health/live", NULL, 0), 200);
    cr_expect_eq(asked("main"), 0, "liveness asks nothing");
    for (int i = 0; i < 20; i++)
        cr_assert_eq(ready(), 200);
    cr_expect_eq(asked("main"), 1, "the rest was remembered: %ld", asked("main"));
    cr_assert_eq(server_stop(&server), 0);
}

/* Eight at once share one question; none waits for longer than the time-out; liveness does not wait. */
Test(health, a_silent_service)
{
    int probes[8];
    struct http_reply reply;
    char text[1024];
    start(CONFIG("interval = \"1m\"; timeout = \"300ms\"; details = \"full\";", DATABASE));
    set("main", "stuck");
    for (int i = 0; i < 8; i++) {
        probes[i] = http_connect(server.port);
        cr_assert(http_send_text(probes[i], "GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    int gone = http_connect(server.port); /* leaves while it waits */
    cr_assert(http_send_text(gone, "GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_expect_eq(get("/health/live", NULL, 0), 200);
    close(gone);
    for (int i = 0; i < 8; i++) {
        cr_assert(http_read(probes[i], false, &reply));
        cr_expect_eq(reply.status, 503);
        cr_expect(strstr(reply.body, "{\"status\":\"not ready\",\"timestamp\":\"") == reply.body, "%s", reply.body);
        http_reply_free(&reply);
        close(probes[i]);
    }
    cr_expect_eq(asked("main"), 1, "%ld", asked("main"));
    cr_expect_eq(get("/health/database", text, sizeof(text)), 503);
    cr_expect(strstr(text, "\"detail\":\"no answer within 300 ms\""), "%s", text);
    cr_expect_eq(asked("main"), 1, "the old question is still open: %ld", asked("main"));
    set("main", "up");
    cr_assert(becomes(200), "its late answer counts");
    set("main", "stuck"); /* the end cancels it */
    cr_assert_eq(server_stop(&server), 0);
}

/* An answer comes, and the next question is asked, just when a probe's own time is up. */
Test(health, a_service_that_takes_all_its_time)
{
    int probes[8];
    struct http_reply reply;
    start(CONFIG("interval = \"50ms\"; timeout = \"60ms\";", DATABASE));
    set("main", "slow");
    cr_assert(becomes(503));
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 8; i++) {
            probes[i] = http_connect(server.port);
            cr_assert(http_send_text(probes[i], "GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n"));
            (void)poll(NULL, 0, 3);
        }
        for (int i = 0; i < 8; i++) {
            cr_assert(http_read(probes[i], false, &reply));
            cr_expect_eq(reply.status, 503, "%u %s", reply.status, reply.body);
            http_reply_free(&reply);
            close(probes[i]);
        }
    }
    cr_assert_eq(server_stop(&server), 0);
}

/* Nobody probes: the time of the outage is known all the same. */
Test(health, grace_runs_without_probes)
{
    start(CONFIG("interval = \"50ms\";",
                 "{ use = \"patient\"; name = \"main\"; check = \"database\"; grace = \"700ms\"; }"));
    cr_assert_eq(ready(), 200);
    set("main", "down");
    cr_assert(server_wait_output(&server, "\"event\":\"health.down\""));
    cr_expect_eq(ready(), 200, "within its grace");
    cr_assert(server_wait_output(&server, "\"event\":\"health.not_ready\""));
    cr_expect_eq(ready(), 503);
    set("main", "up");
    cr_assert(becomes(200));
    cr_assert(server_wait_output(&server, "\"event\":\"health.ready\""));
    set("main", "unfit 2 migrations are missing");
    cr_assert(becomes(503), "no grace");
    cr_assert_eq(server_stop(&server), 0);
}

Test(health, what_was_never_up_gets_no_grace)
{
    char folder[64] = "/tmp/backplane-test-XXXXXX";
    cr_assert(mkdtemp(folder));
    snprintf(server.folder, sizeof(server.folder), "%s", folder);
    set("main", "down");
    server_start(&server, &(struct server_options){
                              .config = CONFIG("", "{ use = \"patient\"; name = \"main\"; check = \"database\"; grace "
                                                   "= \"1m\"; }, { use = \"patient\"; name = \"other\"; }"),
                              .folder = folder});
    cr_expect_eq(ready(), 503);
    set("main", "up");
    cr_assert(becomes(200));
    cr_assert_eq(server_stop(&server), 0);
}
