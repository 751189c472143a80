/* SPDX-License-Identifier: MIT */
/* The way from a request to the job that it enqueued, in traces. The job is that of tests/http/jobber.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "build_info.h"
#include "collector.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

/* Kinds of spans, and the status of one that failed. */
enum { PRODUCER = 4, CONSUMER = 5, FAILED = 2 };

#define CONFIG                                                                                                  \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"   \
    "  job_workers = 1; plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                            \
    "plugins: ( { use = \"http_client\"; }, { use = \"health\"; }, { use = \"sqlite\"; name = \"main\"; },\n"   \
    "  { use = \"jobber\"; attempts = 1; }, { use = \"queue\"; },\n"                                            \
    "  { use = \"tracing\"; endpoint = \"${OTEL_EXPORTER_OTLP_ENDPOINT:-}\"; schedule_delay = \"20ms\"; } );\n" \
    "pipelines: { all = ( \"tracing\" ); none = (); };\n"                                                       \
    "routes: ( { match = \"/health/*\"; pipeline = \"none\"; }, { match = \"/*\"; pipeline = \"all\"; } );\n"

static const char *text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));
    return value ? value : "";
}

/* The first span of the kind of span that is called as the job. */
static json_t *find(const struct collector *collector, long long kind, json_t **ret_span)
{
    for (size_t wanted = 1;; wanted++) {
        json_t *spans = collector_wait(collector, wanted);
        for (size_t i = 0; i < json_array_size(spans); i++) {
            *ret_span = json_array_get(spans, i);
            if (json_integer_value(json_object_get(*ret_span, "kind")) == kind &&
                strcmp(text(*ret_span, "name"), "jobber.work") == 0)
                return spans;
        }
        wanted = json_array_size(spans);
        json_decref(spans);
    }
}

Test(tracing_queue, from_the_request_to_the_job, .timeout = 120)
{
    struct collector collector;
    struct test_server server;
    struct http_reply reply;
    json_t *sent, *run;
    collector_start(&collector);
    server_start(&server,
                 &(struct server_options){.config = CONFIG, .environment = (const char *[]){collector.endpoint, NULL}});
    collector_reset(&collector);
    http_call(server.port, "POST", "/jobs", NULL, "{\"name\":\"x\",\"mode\":\"fail\"}", &reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    json_t *answer = http_json(&reply);
    http_reply_free(&reply);
    json_t *sent_spans = find(&collector, PRODUCER, &sent), *run_spans = find(&collector, CONSUMER, &run);
    /* A trace of its own, with a link to what sent it. */
    cr_expect_str_neq(text(run, "traceId"), text(sent, "traceId"));
    cr_expect_str_eq(text(run, "parentSpanId"), "");
    const json_t *link = json_array_get(json_object_get(run, "links"), 0);
    cr_expect_str_eq(text(link, "traceId"), text(sent, "traceId"));
    cr_expect_str_eq(text(link, "spanId"), text(sent, "spanId"));
    cr_expect_str_neq(text(sent, "parentSpanId"), "");
    const json_t *of_sent = json_object_get(sent, "attributes"), *of_run = json_object_get(run, "attributes");
    cr_expect_str_eq(text(of_sent, "messaging.operation.type"), "send");
    cr_expect_str_eq(text(of_run, "messaging.operation.type"), "process");
    cr_expect_str_eq(text(of_run, "messaging.destination.name"), "default");
    cr_expect_str_eq(text(of_sent, "messaging.message.id"), http_json_text(answer, "data.id"));
    cr_expect_str_eq(text(of_run, "messaging.message.id"), http_json_text(answer, "data.id"));
    cr_expect_eq(json_integer_value(json_object_get(of_run, "backplane.job.attempt")), 1);
    cr_expect_eq(json_integer_value(json_object_get(run, "status")), FAILED);
    cr_expect_str_eq(text(of_run, "error.type"), "BP_ERROR");
    json_decref(sent_spans);
    json_decref(run_spans);
    json_decref(answer);
    server_stop(&server);
    collector_stop(&collector);
}
