/* SPDX-License-Identifier: MIT */
/* Metrics and lines of the log on their way to the collector, as another program's decoder reads them; and what a bad collector makes of it. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "observed.h"
#include "tests/support/http.h"

#define PLUGINS                                                                              \
    "plugins: ( { use = \"http_client\"; }, { use = \"relay\"; }, { use = \"metrics\"; },\n" \
    "  { use = \"sqlite\"; name = \"main\"; }, { use = \"tracing\";\n"                       \
    "  endpoint = \"${OTEL_EXPORTER_OTLP_ENDPOINT}\"; service_name = \"signals\"; "
#define CONFIG(WORKERS, OPTIONS)                                                                                  \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = " WORKERS \
    ";\n  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/tracing\"; };\n" PLUGINS OPTIONS " } );\n"               \
    "pipelines: { all = ( \"tracing\", \"metrics\" ); none = (); };\n"                                            \
    "routes: ( { match = \"/metrics\"; pipeline = \"none\"; }, { match = \"/*\"; pipeline = \"all\"; } );\n"
#define METRICS "metrics_exporter = \"otlp\"; metrics_interval = \"100ms\"; "
#define LOGS "logs_exporter = \"otlp\"; logs_delay = \"20ms\"; "
#define PATIENCE 15000

TestSuite(signals, .init = observed_init, .fini = observed_fini, .timeout = 120);

static void ask(const char *target, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        struct http_reply reply;
        http_call(server.port, "GET", target, NULL, NULL, &reply);
        cr_assert_eq(reply.status, 200);
        http_reply_free(&reply);
    }
}

/* The value of a sample of /metrics; -1: there is none. */
static double scraped(const char *sample)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/metrics", NULL, NULL, &reply);
    const char *at = strstr(reply.body, sample);
    double value = at ? strtod(at + strlen(sample), NULL) : -1;
    http_reply_free(&reply);
    return value;
}

static bool reaches(const char *sample, double least)
{
    long long begun = 0;
    while (scraped(sample) < least)
        if (!service_patience(&begun, PATIENCE))
            return false;
    return true;
}

static const char *text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));
    return value ? value : "";
}

static double number(const json_t *object, const char *member)
{
    return json_number_value(json_object_get(object, member));
}

static const char *attribute(const json_t *object, const char *name)
{
    return text(json_object_get(object, "attributes"), name);
}

/* The last point of this name, and with this value of an attribute if one is named; NULL. Borrowed. */
static json_t *find_point(json_t *points, const char *name, const char *key, const char *value)
{
    for (size_t i = json_array_size(points); i-- > 0;) {
        json_t *point = json_array_get(points, i);
        if (strcmp(text(point, "name"), name) == 0 && (!key || strcmp(attribute(point, key), value) == 0))
            return point;
    }
    return NULL;
}

/* Points in which the histogram of requests of a route counts so many. */
static json_t *wait_requests(const char *route, double count)
{
    long long begun = 0;
    for (;;) {
        json_t *points = collector_points(&collector);
        const json_t *point = find_point(points, "http.server.request.duration", "http.route", route);
        if (point && number(point, "count") >= count)
            return points;
        json_decref(points);
        if (!service_patience(&begun, PATIENCE))
            cr_assert_fail("%s was not counted %g times: %s", route, count,
                           json_dumps(collector_requests(&collector), 0));
    }
}

static void expect_all_were_taken(const char *path, const char *type, const char *encoding)
{
    json_t *requests = collector_requests(&collector);
    const json_t *request;
    size_t i, count = 0;
    json_array_foreach(requests, i, request)
    {
        if (strcmp(text(request, "path"), path) != 0)
            continue;
        count++;
        cr_expect_eq(number(request, "status"), 200, "%s", text(request, "error"));
        cr_expect_str_eq(text(request, "type"), type);
        cr_expect_str_eq(text(request, "encoding"), encoding);
    }
    cr_expect_gt(count, 0);
    json_decref(requests);
}

static void expect_metrics(json_t *points)
{
    const json_t *requests = find_point(points, "http.server.request.duration", "http.route", "/fields");
    const json_t *attributes = json_object_get(requests, "attributes");
    cr_expect_str_eq(text(requests, "kind"), "histogram");
    cr_expect_str_eq(text(requests, "unit"), "s");
    cr_expect_str_eq(text(requests, "description"), "Duration of HTTP server requests.");
    cr_expect_eq(number(requests, "temporality"), 2);
    cr_expect_str_eq(text(attributes, "http.request.method"), "GET");
    cr_expect_eq(number(attributes, "http.response.status_code"), 200);
    cr_expect_eq(json_object_size(attributes), 3);
    cr_expect_eq(json_array_size(json_object_get(requests, "bounds")), 14);
    cr_expect_eq(json_array_size(json_object_get(requests, "buckets")), 15);
    double total = 0;
    const json_t *part;
    size_t i;
    json_array_foreach(json_object_get(requests, "buckets"), i, part) total += json_number_value(part);
    cr_expect_eq(total, number(requests, "count"));
    cr_expect_gt(number(requests, "sum"), 0);
    cr_assert_geq(json_array_size(json_object_get(requests, "exemplars")), 1);
    cr_expect_eq(strlen(text(json_array_get(json_object_get(requests, "exemplars"), 0), "traceId")), 32);

    const json_t *cpu = find_point(points, "process_cpu_seconds_total", NULL, NULL);
    cr_assert(cpu);
    cr_expect_str_eq(text(cpu, "kind"), "sum");
    cr_expect(json_is_true(json_object_get(cpu, "monotonic")));
    cr_expect_eq(number(cpu, "temporality"), 2);
    cr_expect_gt(number(cpu, "value"), 0);
    cr_expect_lt(number(cpu, "value"), 60);
    const json_t *memory = find_point(points, "process_resident_memory_bytes", NULL, NULL);
    cr_expect_str_eq(text(memory, "kind"), "gauge");
    cr_expect_str_eq(text(memory, "unit"), "By");
    cr_expect_gt(number(memory, "value"), 1000000);
    const json_t *active = find_point(points, "http.server.active_requests", NULL, NULL);
    cr_expect_str_eq(text(active, "kind"), "sum");
    cr_expect_not(json_is_true(json_object_get(active, "monotonic")));
    /* The resource has an "instance", too, and Prometheus takes no label twice. */
    const json_t *depth = find_point(points, "sqlite_queue_depth", "queue", "write");
    cr_expect_str_eq(attribute(depth, "backplane.instance"), "main");
    cr_expect_eq(json_object_size(json_object_get(depth, "attributes")), 2);
    /* Counters begin with the server, not with the worker that was the first to send some. */
    const json_t *began = find_point(points, "process_start_time_seconds", NULL, NULL);
    cr_expect_eq((long long)(number(began, "value") * 1000 + 0.5), atoll(text(cpu, "start")) / 1000000);
    const json_t *version = find_point(points, "backplane_build_info", NULL, NULL);
    cr_expect_gt(strlen(attribute(version, "version")), 0);
    const json_t *resource = json_object_get(version, "resource");
    cr_expect_str_eq(text(resource, "service.name"), "signals");
    cr_expect_eq(strlen(text(resource, "service.instance.id")), 36);
    cr_expect_null(json_object_get(resource, "process.pid"), "they are those of all workers");
}

/* One server, one begin, times that go forward, sums that never go back. */
static void expect_one_series(const json_t *points)
{
    const json_t *point, *first = json_array_get(points, 0);
    double count = 0, cpu = 0;
    size_t i;
    long long time = 0;
    const char *instance = text(json_object_get(first, "resource"), "service.instance.id"), *began = NULL;
    json_array_foreach(points, i, point)
    {
        cr_expect_str_eq(text(json_object_get(point, "resource"), "service.instance.id"), instance);
        if (strcmp(text(point, "name"), "process_cpu_seconds_total") == 0) {
            cr_expect_geq(number(point, "value"), cpu);
            cr_expect_gt(atoll(text(point, "time")), time);
            cr_expect_gt(atoll(text(point, "time")), atoll(text(point, "start")));
            cpu = number(point, "value");
            time = atoll(text(point, "time"));
            if (!began)
                began = text(point, "start");
            cr_expect_str_eq(text(point, "start"), began);
        }
        if (strcmp(attribute(point, "http.route"), "/fields") == 0) {
            cr_expect_geq(number(point, "count"), count);
            count = number(point, "count");
        }
    }
}

Test(signals, metrics_in_every_form)
{
    static const struct {
        const char *options, *type, *encoding;
    } cases[] = {{"", "application/x-protobuf", ""},
                 {"protocol = \"http/json\"; compression = \"gzip\";", "application/json", "gzip"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char config[2048];
        snprintf(config, sizeof(config), CONFIG("2", METRICS "%s"), cases[i].options);
        collector_reset(&collector);
        start(config);
        ask("/fields", 30);
        json_t *points = wait_requests("/fields", 30);
        expect_metrics(points);
        expect_one_series(points);
        cr_expect_eq(number(find_point(points, "http.server.request.duration", "http.route", "/fields"), "count"), 30);
        expect_all_were_taken("/v1/metrics", cases[i].type, cases[i].encoding);
        cr_expect_gt(scraped("backplane_otlp_exported_total{signal=\"metrics\"} "), 20);
        json_decref(points);
        cr_assert_eq(server_stop(&server), 0);
    }
}

/* The worker that reads them dies: another one does, and nothing that was counted is lost. */
Test(signals, metrics_survive_workers)
{
    pid_t workers[8];
    start(CONFIG("2", METRICS));
    ask("/fields", 10);
    json_decref(wait_requests("/fields", 10));
    size_t count = server_workers(&server, workers, 8);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(kill(workers[i], SIGKILL), 0);
        cr_assert(reaches("\nbackplane_worker_restarts_total{reason=\"killed\"} ", (double)i + 1));
    }
    ask("/fields", 10);
    json_t *points = wait_requests("/fields", 20);
    expect_one_series(points);
    json_decref(points);
    /* What happened since the last reading is told when the server ends. */
    cr_assert_eq(server_stop(&server), 0);
    points = collector_points(&collector);
    cr_expect_gt(number(find_point(points, "backplane_worker_restarts_total", "reason", "killed"), "value"), 1);
    json_decref(points);
}

static json_t *wait_lines(const char *event, size_t least)
{
    long long begun = 0;
    for (;;) {
        json_t *lines = collector_lines(&collector);
        const json_t *line;
        size_t i, count = 0;
        json_array_foreach(lines, i, line) count += strcmp(attribute(line, "event.name"), event) == 0;
        if (count >= least)
            return lines;
        json_decref(lines);
        if (!service_patience(&begun, PATIENCE))
            cr_assert_fail("%zu of %zu %s: %s", count, least, event, json_dumps(collector_requests(&collector), 0));
    }
}

static json_t *find_line(json_t *lines, const char *event)
{
    json_t *line;
    size_t i;
    json_array_foreach(lines, i, line) if (strcmp(attribute(line, "event.name"), event) == 0) return line;
    return NULL;
}

static void expect_lines(json_t *lines)
{
    const json_t *line = find_line(lines, "relay.said"), *attributes = json_object_get(line, "attributes");
    cr_assert(line);
    cr_expect_eq(number(line, "severity"), 13);
    cr_expect_str_eq(text(line, "severityText"), "WARN");
    cr_expect_str_eq(text(line, "body"), "Something was \xef\xbf\xbdsaid");
    cr_expect_str_eq(text(attributes, "backplane.plugin"), "relay");
    cr_expect_eq(number(attributes, "number"), -7);
    cr_expect_eq(number(attributes, "half"), 0.5);
    cr_expect(json_is_true(json_object_get(attributes, "right")));
    cr_expect_str_eq(text(attributes, "bytes"), "a\xef\xbf\xbd\n\"");
    cr_expect_str_eq(text(attributes, "api_token"), "[redacted]");
    cr_expect_null(json_object_get(attributes, "backplane.stream"));
    cr_expect_str_eq(text(line, "time"), text(line, "observed"));
    cr_expect_gt(atoll(text(line, "time")), 1700000000000000000);
    cr_expect_gt(number(json_object_get(line, "resource"), "process.pid"), 1);

    const json_t *audited = find_line(lines, "relay.audited");
    cr_assert(audited);
    cr_expect_eq(number(audited, "severity"), 9);
    cr_expect_str_eq(attribute(audited, "backplane.stream"), "audit");
    cr_expect_str_eq(attribute(audited, "client.address"), "127.0.0.1");
    cr_expect_str_eq(attribute(audited, "outcome"), "ok");

    /* Lines and spans of a request find each other. */
    json_t *span, *spans = collector_wait_for(&collector, "GET /say", &span);
    cr_expect_eq(strlen(text(line, "traceId")), 32);
    cr_expect_str_eq(text(line, "traceId"), text(span, "traceId"));
    cr_expect_str_eq(text(line, "spanId"), text(span, "spanId"));
    cr_expect_eq(number(line, "flags"), 1);
    json_decref(spans);
}

Test(signals, lines_in_every_form)
{
    static const struct {
        const char *options, *type, *encoding;
    } cases[] = {{"", "application/x-protobuf", ""},
                 {"protocol = \"http/json\"; compression = \"gzip\";", "application/json", "gzip"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char config[2048];
        snprintf(config, sizeof(config), CONFIG("1", LOGS "schedule_delay = \"20ms\"; %s"), cases[i].options);
        collector_reset(&collector);
        start(config);
        ask("/say?count=3", 1);
        json_t *lines = wait_lines("relay.said", 3);
        json_decref(lines);
        lines = wait_lines("relay.audited", 1);
        expect_lines(lines);
        json_decref(lines);
        expect_all_were_taken("/v1/logs", cases[i].type, cases[i].encoding);
        cr_assert_eq(server_stop(&server), 0);
    }
}

/* A full queue is told off at once, whatever logs_delay is, and the last lines when the server ends. */
Test(signals, lines_do_not_wait_for_ever)
{
    start(CONFIG("1", "logs_exporter = \"otlp\"; logs_delay = \"1h\"; logs_batch = 5; "));
    ask("/say?count=20", 1);
    json_decref(wait_lines("relay.said", 20));
    ask("/say?count=1", 1);
    cr_assert_eq(server_stop(&server), 0);
    json_decref(wait_lines("relay.said", 21));
}

#define DROPPED(signal, reason) "backplane_otlp_dropped_total{signal=\"" signal "\",reason=\"" reason "\"} "
#define EXPORTS(signal, result) "backplane_otlp_exports_total{signal=\"" signal "\",result=\"" result "\"} "

/* What the way to the collector logs of itself does not go that way: it would never end. */
Test(signals, lines_of_the_exporter_stay_here)
{
    start(CONFIG("1", LOGS));
    ask("/say?count=1", 1);
    json_decref(wait_lines("relay.said", 1));
    collector_reset(&collector);
    collector_mode(&collector, "{\"status\":400,\"times\":1,\"path\":\"/v1/logs\"}");
    ask("/say?count=4", 1);
    cr_expect(reaches(DROPPED("logs", "rejected"), 5));
    cr_expect(server_wait_output(&server, "\"event\":\"tracing.export_failed\""));
    cr_expect(server_wait_output(&server, "\"signal\":\"logs\""));
    ask("/say?count=1", 1);
    cr_expect(server_wait_output(&server, "\"event\":\"tracing.export_recovered\""));
    json_t *lines = wait_lines("relay.audited", 1);
    json_decref(lines);
    cr_assert_eq(server_stop(&server), 0);
    lines = collector_lines(&collector);
    cr_expect_null(find_line(lines, "tracing.export_failed"));
    cr_expect_null(find_line(lines, "tracing.export_recovered"));
    json_decref(lines);
}

Test(signals, busy_collectors)
{
    static const struct {
        const char *path, *signal;
    } cases[] = {{"/v1/metrics", "metrics"}, {"/v1/logs", "logs"}};
    start(CONFIG("1", LOGS "metrics_exporter = \"otlp\"; metrics_interval = \"4s\"; "));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const char *const modes[] = {"{\"status\":503,\"retryAfter\":1,\"times\":1,\"path\":\"%s\"}",
                                            "{\"status\":429,\"retryAfter\":1,\"times\":1,\"path\":\"%s\"}"};
        for (size_t m = 0; m < 2; m++) {
            char mode[128], sample[128];
            long long begun = 0;
            json_t *requests, *busy, *again;
            snprintf(mode, sizeof(mode), modes[m], cases[i].path);
            collector_reset(&collector);
            collector_mode(&collector, mode);
            ask("/say", 1);
            for (;;) {
                size_t at;
                json_t *request;
                busy = again = NULL;
                requests = collector_requests(&collector);
                json_array_foreach(requests, at, request)
                {
                    if (strcmp(text(request, "path"), cases[i].path) != 0)
                        continue;
                    if (!busy && number(request, "status") != 200)
                        busy = request;
                    else if (busy && !again)
                        again = request;
                }
                if (again || !service_patience(&begun, PATIENCE))
                    break;
                json_decref(requests);
            }
            cr_assert(busy && again, "%s %zu", cases[i].signal, m);
            cr_expect_eq(number(again, "status"), 200);
            cr_expect_eq(number(again, "bytes"), number(busy, "bytes"));
            cr_expect_geq(number(again, "at") - number(busy, "at"), 950);
            json_decref(requests);
            snprintf(sample, sizeof(sample), "backplane_otlp_exports_total{signal=\"%s\",result=\"retryable\"} ",
                     cases[i].signal);
            cr_expect(reaches(sample, (double)m + 1));
        }
    }
    cr_assert_eq(server_stop(&server), 0);
}

/* No try waits longer for its answer than a loaded machine takes for one, where one is to come. */
Test(signals, broken_collectors)
{
    start(CONFIG("1", "retry_time = \"0s\"; " METRICS LOGS));
    collector_mode(&collector, "{\"garbage\":true}");
    ask("/say", 1);
    cr_expect(reaches(DROPPED("metrics", "unreachable"), 1));
    cr_expect(reaches(DROPPED("logs", "unreachable"), 1));
    collector_mode(&collector, "{\"partial\":2,\"path\":\"/v1/metrics\"}");
    cr_expect(reaches(DROPPED("metrics", "rejected"), 2));
    collector_reset(&collector);
    ask("/say?count=2", 1);
    json_decref(wait_lines("relay.said", 2));
    json_decref(wait_requests("/say", 2));
    cr_assert_eq(server_stop(&server), 0);
}

/* What is not answered is sent again, until it is. */
Test(signals, silent_collectors)
{
    start(CONFIG("1", "timeout = \"200ms\"; metrics_timeout = \"200ms\"; " METRICS LOGS));
    collector_mode(&collector, "{\"stall\":true}");
    ask("/say", 1);
    cr_expect(reaches(EXPORTS("metrics", "timeout"), 1));
    cr_expect(reaches(EXPORTS("logs", "timeout"), 1));
    collector_reset(&collector);
    ask("/say?count=2", 1);
    json_decref(wait_lines("relay.said", 3));
    json_decref(wait_requests("/say", 2));
    cr_assert_eq(server_stop(&server), 0);
}

Test(signals, the_queue_of_lines_is_bounded)
{
    start(CONFIG("1", LOGS "timeout = \"5s\"; logs_queue = 6; logs_batch = 3; flush_timeout = \"100ms\"; "));
    collector_mode(&collector, "{\"stall\":true}");
    ask("/say?count=50", 2);
    /* At most 3 are on their way (with what was said at the start), and 6 wait. */
    cr_expect(reaches(DROPPED("logs", "queue_full"), 90));
    cr_expect(reaches("\nbackplane_otlp_waiting{signal=\"logs\"} ", 6));
    long long begun = service_milliseconds();
    cr_assert_eq(server_stop(&server), 0);
    cr_expect_lt(service_milliseconds() - begun, 3000);
}

Test(signals, what_is_sent_is_chosen)
{
    static const struct {
        const char *options;
        bool traces, metrics, logs;
    } cases[] = {{"schedule_delay = \"20ms\"; ", true, false, false},
                 {"traces_exporter = \"none\"; " METRICS LOGS, false, true, true},
                 {"disabled = true; " METRICS LOGS, false, false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char config[2048];
        snprintf(config, sizeof(config), CONFIG("1", "%s"), cases[i].options);
        collector_reset(&collector);
        start(config);
        ask("/say", 1);
        cr_assert_eq(server_stop(&server), 0);
        json_t *spans = collector_spans(&collector), *points = collector_points(&collector),
               *lines = collector_lines(&collector);
        cr_expect_eq(json_array_size(spans) > 0, cases[i].traces, "%zu", i);
        cr_expect_eq(json_array_size(points) > 0, cases[i].metrics, "%zu", i);
        cr_expect_eq(json_array_size(lines) > 0, cases[i].logs, "%zu", i);
        json_decref(spans);
        json_decref(points);
        json_decref(lines);
    }
}
