/* SPDX-License-Identifier: MIT */
/* The way to the collector, and what a bad one costs: nothing but a counter. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "observed.h"
#include "tests/support/http.h"

#define CONFIG(OPTIONS)                                                                                           \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"     \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/tracing\"; };\n"                                            \
    "plugins: ( { use = \"http_client\"; }, { use = \"relay\"; }, { use = \"metrics\"; }, { use = \"tracing\";\n" \
    "  endpoint = \"${OTEL_EXPORTER_OTLP_ENDPOINT}\"; schedule_delay = \"20ms\"; " OPTIONS " } );\n"              \
    "pipelines: { all = ( \"tracing\" ); none = (); };\n"                                                         \
    "routes: ( { match = \"/metrics\"; pipeline = \"none\"; }, { match = \"/*\"; pipeline = \"all\"; } );\n"

TestSuite(exporter, .init = observed_init, .fini = observed_fini, .timeout = 120);

static void start_afresh(const char *config)
{
    start(config);
    /* Whether it lives was asked: that is a span, too. */
    json_decref(collector_wait(&collector, 1));
    collector_reset(&collector);
}

static void ask(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        struct http_reply reply;
        http_call(server.port, "GET", "/fields", NULL, NULL, &reply);
        cr_assert_eq(reply.status, 200);
        http_reply_free(&reply);
    }
}

/* The value of a sample; -1: there is none. */
static double metric(const char *sample)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/metrics", NULL, NULL, &reply);
    const char *at = strstr(reply.body, sample);
    double value = at ? strtod(at + strlen(sample), NULL) : -1;
    http_reply_free(&reply);
    return value;
}

#define DROPPED(reason) "backplane_tracing_spans_dropped_total{reason=\"" reason "\"} "
#define EXPORTS(result) "backplane_tracing_exports_total{result=\"" result "\"} "
#define EXPORTED "\nbackplane_tracing_spans_exported_total "

static double wait_metric(const char *sample, double least)
{
    long long begun = 0;
    double value = metric(sample);
    while (value < least && service_patience(&begun, 10000))
        value = metric(sample);
    return value;
}

static json_t *request_at(json_t *requests, size_t i)
{
    json_t *request = json_array_get(requests, i);
    cr_assert(request, "%zu of %zu", i, json_array_size(requests));
    return request;
}

static const char *text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));
    return value ? value : "";
}

Test(exporter, forms)
{
    static const struct {
        const char *options, *type, *encoding;
    } cases[] = {{"", "application/x-protobuf", ""},
                 {"compression = \"gzip\";", "application/x-protobuf", "gzip"},
                 {"protocol = \"http/json\";", "application/json", ""},
                 {"protocol = \"http/json\"; compression = \"gzip\"; headers = \"x-own=a%20b,authorization=Bearer 7\";",
                  "application/json", "gzip"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char config[2048];
        snprintf(config, sizeof(config), CONFIG("%s"), cases[i].options);
        start_afresh(config);
        struct http_reply reply;
        http_call(server.port, "GET", "/spans?count=40&x=%22%0a", "User-Agent: \x01\xc3\x28\r\n", NULL, &reply);
        http_reply_free(&reply);
        http_call(server.port, "GET", "/spans?count=40&x=%22%0a", "User-Agent: a\xc3\x28\\\"\r\n", NULL, &reply);
        cr_expect_eq(reply.status, 200);
        http_reply_free(&reply);
        json_t *spans = collector_wait(&collector, 41), *requests = collector_requests(&collector);
        for (size_t r = 0; r < json_array_size(requests); r++) {
            json_t *request = request_at(requests, r);
            cr_expect_eq(json_integer_value(json_object_get(request, "status")), 200, "%s", text(request, "error"));
            cr_expect_str_eq(text(request, "type"), cases[i].type);
            cr_expect_str_eq(text(request, "encoding"), cases[i].encoding);
            cr_expect_str_eq(text(request, "path"), "/v1/traces");
            if (strstr(cases[i].options, "headers")) {
                const json_t *headers = json_object_get(request, "headers");
                cr_expect_str_eq(text(headers, "x-own"), "a b");
                cr_expect_str_eq(text(headers, "authorization"), "Bearer 7");
            }
        }
        json_t *root = collector_find(spans, "GET /spans"), *part = collector_find(spans, "part");
        cr_assert(root && part);
        cr_expect_str_eq(text(part, "parentSpanId"), text(root, "spanId"));
        cr_expect_str_eq(text(json_object_get(part, "attributes"), "bytes"), "a\xef\xbf\xbd\n\"");
        cr_expect_str_eq(text(json_object_get(json_array_get(spans, json_array_size(spans) - 41), "attributes"),
                              "user_agent.original"),
                         "a\xef\xbf\xbd(\\\"");
        json_decref(spans);
        json_decref(requests);
        cr_assert_eq(server_stop(&server), 0);
    }
}

Test(exporter, paths)
{
    static const struct {
        const char *option, *path;
    } cases[] = {{"endpoint = \"http://127.0.0.1:%d\";", "/v1/traces"},
                 {"endpoint = \"http://127.0.0.1:%d/\";", "/v1/traces"},
                 {"endpoint = \"http://127.0.0.1:%d/otlp/\";", "/otlp/v1/traces"},
                 {"endpoint = \"http://127.0.0.1:%d/x/v1/traces\";", "/x/v1/traces"},
                 {"traces_endpoint = \"http://127.0.0.1:%d/own\";", "/own"},
                 {"endpoint = \"http://127.0.0.1:1\"; traces_endpoint = \"http://127.0.0.1:%d/\";", "/"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const char plain[] = CONFIG("%s");
        char config[2048], option[256], template[2048];
        snprintf(option, sizeof(option), cases[i].option, collector.port);
        snprintf(template, sizeof(template), "%s", plain);
        char *own = strstr(template, "endpoint = \"${OTEL_EXPORTER_OTLP_ENDPOINT}\";");
        memset(own, ' ', strlen("endpoint = \"${OTEL_EXPORTER_OTLP_ENDPOINT}\";"));
        snprintf(config, sizeof(config), template, option);
        start_afresh(config);
        ask(1);
        json_decref(collector_wait(&collector, 1));
        json_t *requests = collector_requests(&collector);
        cr_expect_str_eq(text(request_at(requests, 0), "path"), cases[i].path);
        json_decref(requests);
        cr_assert_eq(server_stop(&server), 0);
    }
}

/* Tried again, after as long as it asks for; what is answered is no request's concern. */
Test(exporter, busy_collectors)
{
    static const struct {
        const char *mode;
        long long least, most; /* milliseconds between the tries */
    } cases[] = {{"{\"status\":503,\"retryAfter\":2,\"times\":1}", 1900, 4000},
                 {"{\"status\":429,\"retryAfter\":2,\"times\":1}", 1900, 4000},
                 {"{\"status\":502,\"times\":1}", 450, 3000},
                 {"{\"status\":504,\"times\":1,\"retryAfter\":\"Wed, 21 Oct 2015 07:28:00 GMT\"}", 450, 3000}};
    start_afresh(CONFIG(""));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        collector_reset(&collector);
        collector_mode(&collector, cases[i].mode);
        ask(3);
        json_decref(collector_wait(&collector, 3));
        json_t *requests = collector_requests(&collector), *first = request_at(requests, 0);
        json_t *second = request_at(requests, 1);
        cr_expect_neq(json_integer_value(json_object_get(first, "status")), 200);
        cr_expect_eq(json_integer_value(json_object_get(second, "bytes")),
                     json_integer_value(json_object_get(first, "bytes")));
        long long between =
            json_integer_value(json_object_get(second, "at")) - json_integer_value(json_object_get(first, "at"));
        cr_expect(between >= cases[i].least && between <= cases[i].most, "%zu: %lld ms", i, between);
        json_decref(requests);
    }
    cr_expect_eq(metric(EXPORTS("retryable")), 4);
    cr_expect_eq(metric(DROPPED("unreachable")), 0);
    cr_assert_eq(server_stop(&server), 0);
}

Test(exporter, what_is_refused)
{
    start_afresh(CONFIG(""));
    double exported = metric(EXPORTED);
    collector_mode(&collector, "{\"status\":400}");
    ask(2);
    cr_expect_eq(wait_metric(DROPPED("rejected"), 2), 2);
    cr_expect_geq(metric(EXPORTS("refused")), 1);
    cr_expect(server_wait_output(&server, "\"event\":\"tracing.export_failed\""));
    cr_expect(server_wait_output(&server, "\"reason\":\"the collector refuses them\",\"status\":400"));
    collector_reset(&collector);
    collector_mode(&collector, "{\"partial\":1}");
    ask(1);
    cr_expect_eq(wait_metric(DROPPED("rejected"), 3), 3);
    cr_expect_eq(metric(EXPORTS("partial")), 1);
    cr_expect(server_wait_output(&server, "\"event\":\"tracing.export_recovered\""));
    /* A page in the place of an answer is none of our business. */
    collector_mode(&collector, "{\"body\":\"<html>what?</html>\"}");
    ask(1);
    cr_expect_eq(wait_metric(EXPORTED, exported + 1), exported + 1);
    cr_assert_eq(server_stop(&server), 0);
}

Test(exporter, garbage_and_silence)
{
    start_afresh(CONFIG("timeout = \"200ms\"; retry_time = \"0s\";"));
    /* On a busy machine an answer may have been late already, and what is asked at once may go in two batches. */
    double dropped = metric(DROPPED("unreachable")), late = metric(EXPORTS("timeout"));
    collector_mode(&collector, "{\"garbage\":true}");
    ask(2);
    cr_expect_eq(wait_metric(DROPPED("unreachable"), dropped + 2), dropped + 2);
    collector_mode(&collector, "{\"stall\":true}");
    ask(2);
    cr_expect_eq(wait_metric(DROPPED("unreachable"), dropped + 4), dropped + 4);
    cr_expect_geq(metric(EXPORTS("timeout")), (late > 0 ? late : 0) + 1);
    collector_reset(&collector);
    ask(2);
    json_decref(collector_wait(&collector, 2));
    cr_assert_eq(server_stop(&server), 0);
    /* Nobody there at all. */
    start_with(CONFIG("retry_time = \"0s\";"), "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1");
    ask(2);
    cr_expect_geq(wait_metric(DROPPED("unreachable"), 2), 2);
    cr_expect_geq(metric(EXPORTS("connect")), 1);
    cr_expect(server_wait_output(&server, "\"event\":\"tracing.export_failed\""));
    cr_assert_eq(server_stop(&server), 0);
}

/* However many spans there are, and however long the collector is silent, so many wait and the others are counted. */
Test(exporter, the_queue_is_bounded)
{
    start_afresh(CONFIG("timeout = \"5s\"; queue_spans = 6; batch_spans = 3; flush_timeout = \"100ms\";"));
    collector_mode(&collector, "{\"stall\":true}");
    ask(50);
    /* 3 are on their way, 6 wait: of 50 there are 41 left. Which batch is on its way when depends on the clock. */
    double dropped = wait_metric(DROPPED("queue_full"), 41);
    cr_expect(dropped >= 41 && dropped <= 44, "%f", dropped);
    cr_expect_eq(wait_metric("\nbackplane_tracing_spans_waiting ", 6), 6);
    long long begun = service_milliseconds();
    cr_assert_eq(server_stop(&server), 0);
    cr_expect_lt(service_milliseconds() - begun, 3000);
}

Test(exporter, the_last_spans)
{
    static const char config[] = CONFIG("batch_spans = 2; queue_spans = 100; compression = \"gzip\";");
    char text_of[2048];
    snprintf(text_of, sizeof(text_of), "%s", config);
    memcpy(strstr(text_of, "\"20ms\""), "\"50m\" ", 6);
    start_with(text_of, collector.endpoint);
    ask(6);
    cr_assert_eq(server_stop(&server), 0);
    json_t *spans = collector_spans(&collector), *requests = collector_requests(&collector);
    cr_expect_eq(json_array_size(spans), 7); /* and the first question whether it lives */
    cr_expect_eq(json_array_size(requests), 4);
    json_decref(spans);
    json_decref(requests);
}

Test(exporter, what_a_configuration_must_not_say)
{
    static const struct {
        const char *plugins, *problem;
    } cases[] = {{"{ use = \"tracing\"; endpoint = \"http://c:4318\"; }",
                  "plugins.tracing.endpoint: needs an instance of http_client: add { use = \"http_client\"; }"},
                 {"{ use = \"http_client\"; }, { use = \"tracing\"; endpoint = \"c:4318\"; }",
                  "plugins.tracing.endpoint: must be a URL that begins with http:// or https://"},
                 {"{ use = \"http_client\"; }, { use = \"tracing\"; traces_endpoint = \"http://c/a b\"; }",
                  "plugins.tracing.traces_endpoint: must be a URL: it holds a space"},
                 {"{ use = \"tracing\"; headers = \"secretvalue\"; }",
                  "plugins.tracing.headers: must be \"name=value,name=value\""},
                 {"{ use = \"tracing\"; resource_attributes = \"a=1,b\"; }",
                  "plugins.tracing.resource_attributes: must be \"name=value,name=value\", has \"b\""},
                 {"{ use = \"tracing\"; sampler = \"sometimes\"; }", "plugins.tracing.sampler: "},
                 {"{ use = \"tracing\"; sampler_argument = 1.5; }", "plugins.tracing.sampler_argument: "},
                 {"{ use = \"tracing\"; protocol = \"grpc\"; }", "plugins.tracing.protocol: "},
                 {"{ use = \"tracing\"; queue_spans = 10; batch_spans = 11; }",
                  "plugins.tracing.batch_spans: must not be above queue_spans (10)"},
                 {"{ use = \"tracing\"; logs_queue = 10; logs_batch = 11; }",
                  "plugins.tracing.logs_batch: must not be above logs_queue (10)"},
                 {"{ use = \"tracing\"; metrics_exporter = \"otlp\"; }",
                  "plugins.tracing.metrics_exporter: needs endpoint or metrics_endpoint"},
                 {"{ use = \"http_client\"; }, { use = \"tracing\"; logs_exporter = \"otlp\"; logs_endpoint = \"c\"; }",
                  "plugins.tracing.logs_endpoint: must be a URL that begins with http:// or https://"},
                 {"{ use = \"tracing\"; traces_exporter = \"zipkin\"; }", "plugins.tracing.traces_exporter: "}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char config[1024], *output;
        snprintf(config, sizeof(config),
                 "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; };\n"
                 "plugins: ( %s );\npipelines: { all = ( \"tracing\" ); };\n"
                 "routes: ( { match = \"/*\"; pipeline = \"all\"; } );\n",
                 cases[i].plugins);
        int code = server_refuses(&(struct server_options){.config = config}, &output);
        cr_expect_neq(code, 0);
        cr_expect(strstr(output, cases[i].problem), "%s: %s", cases[i].problem, output);
        cr_expect_null(strstr(output, "secretvalue"));
        free(output);
    }
}
