/* SPDX-License-Identifier: MIT */
/* What becomes of requests in traces: a real server, and a collector that reads what it sends with OpenTelemetry's decoder. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_info.h"
#include "collector.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define PARENT(flags) "traceparent: 00-" TRACE "-" SPAN "-" flags "\r\n"
/* Kinds of spans, and the status of one that failed. */
enum { INTERNAL = 1, SERVER = 2, CLIENT = 3, CONSUMER = 5, FAILED = 2 };

#define CONFIG(OPTIONS)                                                                                                \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"          \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/tracing\"; };\n"                                                 \
    "plugins: ( { use = \"http_client\"; }, { use = \"relay\"; }, { use = \"health\"; }, { use = \"access_log\"; },\n" \
    "  { use = \"metrics\"; }, { use = \"tracing\"; endpoint = \"${OTEL_EXPORTER_OTLP_ENDPOINT:-}\";\n"                \
    "  schedule_delay = \"20ms\"; " OPTIONS " } );\n"                                                                  \
    "pipelines: { all = ( \"access_log\", \"tracing\", \"metrics\", \"relay\" ); none = ( \"metrics\" ); };\n"         \
    "routes: ( { match = \"/health/*\"; pipeline = \"none\"; }, { match = \"/*\"; pipeline = \"all\"; } );\n"

static struct collector collector;

static void setup(void)
{
    collector_start(&collector);
}

static void teardown(void)
{
    collector_stop(&collector);
}

TestSuite(tracing, .init = setup, .fini = teardown, .timeout = 120);

static void start(struct test_server *server, const char *config, const char *const *more)
{
    const char *environment[16] = {collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY=20"};
    for (size_t i = 0; more && more[i]; i++)
        environment[2 + i] = more[i];
    server_start(server, &(struct server_options){.config = config, .environment = environment});
    if (!config) /* whether it lives was asked there */
        json_decref(collector_wait(&collector, 1));
    collector_reset(&collector);
}

static unsigned call(const struct test_server *server, const char *method, const char *target, const char *headers,
                     const char *body)
{
    struct http_reply reply;
    http_call(server->port, method, target, headers, body, &reply);
    unsigned status = reply.status;
    http_reply_free(&reply);
    return status;
}

static unsigned get(const struct test_server *server, const char *target, const char *headers)
{
    return call(server, "GET", target, headers, NULL);
}

static const char *text(const json_t *span, const char *member)
{
    const char *value = json_string_value(json_object_get(span, member));
    return value ? value : "";
}

static long long integer(const json_t *span, const char *member)
{
    return json_integer_value(json_object_get(span, member));
}

static json_t *attribute(const json_t *span, const char *key)
{
    return json_object_get(json_object_get(span, "attributes"), key);
}

static const char *attribute_text(const json_t *span, const char *key)
{
    const char *value = json_string_value(attribute(span, key));
    return value ? value : "";
}

static void expect_below(const json_t *part, const json_t *whole)
{
    cr_expect_str_eq(text(part, "traceId"), text(whole, "traceId"));
    cr_expect_str_eq(text(part, "parentSpanId"), text(whole, "spanId"), "%s", text(part, "name"));
}

/* Of one process, so that the times fit, too. */
static void expect_within(const json_t *part, const json_t *whole)
{
    expect_below(part, whole);
    cr_expect(strcmp(text(part, "start"), text(whole, "start")) >= 0, "%s", text(part, "name"));
    cr_expect(strcmp(text(part, "end"), text(whole, "end")) <= 0, "%s", text(part, "name"));
    cr_expect(strcmp(text(part, "start"), text(part, "end")) <= 0, "%s", text(part, "name"));
}

/* --- what is in a trace --- */

Test(tracing, a_request_of_the_api)
{
    struct test_server server;
    char expected[1024];
    start(&server, NULL, (const char *const[]){"OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=te%20st", NULL});
    int fd = http_connect(server.port);
    struct http_reply reply;
    cr_assert(http_send_text(
        fd, "POST /api/v1/auth/sign-up?page=2&access_token=hush HTTP/1.1\r\nHost: example.com:81\r\n" PARENT(
                "01") "tracestate: rojo=1,congo=2\r\nUser-Agent: probe/1 \xff\r\n"
                      "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n"
                      "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}"));
    cr_assert(http_read(fd, false, &reply) && reply.status == 201, "%s", reply.body);
    http_reply_free(&reply);
    close(fd);
    json_t *request, *spans = collector_wait_for(&collector, "POST /api/v1/auth/sign-up", &request);
    cr_expect_str_eq(text(request, "traceId"), TRACE);
    cr_expect_str_eq(text(request, "parentSpanId"), SPAN);
    cr_expect_str_eq(text(request, "traceState"), "rojo=1,congo=2");
    cr_expect_eq(integer(request, "kind"), SERVER);
    cr_expect_eq(integer(request, "status"), 0);
    cr_expect_eq(integer(request, "flags"), 0x301); /* sampled; the parent is remote */
    /* Exactly these. */
    snprintf(
        expected, sizeof(expected),
        "{\"http.request.method\":\"POST\",\"http.route\":\"/api/v1/auth/sign-up\",\"url.path\":\"/api/v1/auth/"
        "sign-up\","
        "\"url.query\":\"page=2&access_token=[redacted]\",\"url.scheme\":\"http\",\"http.response.status_code\":201,"
        "\"server.address\":\"example.com\",\"server.port\":81,\"client.address\":\"127.0.0.1\",\"network.protocol."
        "version\":\"1.1\","
        "\"user_agent.original\":\"probe/1 \xef\xbf\xbd\"}");
    json_t *wanted = json_loads(expected, 0, NULL);
    cr_assert(wanted);
    cr_expect(json_equal(json_object_get(request, "attributes"), wanted), "%s",
              json_dumps(json_object_get(request, "attributes"), 0));
    json_decref(wanted);
    const json_t *resource = json_object_get(request, "resource");
    cr_expect_str_eq(text(resource, "service.name"), "todo-backend");
    cr_expect_str_eq(text(resource, "deployment.environment.name"), "te st");
    cr_expect_str_eq(text(resource, "telemetry.sdk.language"), "c");
    cr_expect(json_is_integer(json_object_get(resource, "process.pid")));
    /* What it waited for. */
    json_t *insert = collector_find(spans, "INSERT users"), *hash = collector_find(spans, "offload");
    cr_assert(insert && hash);
    expect_within(insert, request);
    expect_within(hash, request);
    cr_expect_eq(integer(insert, "kind"), CLIENT);
    cr_expect_eq(integer(insert, "flags"), 0x101);
    cr_expect_str_eq(attribute_text(insert, "db.system.name"),
                     database_kind() == DATABASE_SQLITE ? "sqlite" : "postgresql");
    cr_expect_str_eq(attribute_text(insert, "db.operation.name"), "INSERT");
    cr_expect_str_eq(attribute_text(insert, "db.collection.name"), "users");
    cr_expect_str_eq(attribute_text(insert, "backplane.statement"), "auth.create");
    cr_expect(strstr(attribute_text(insert, "db.query.text"), "VALUES ($1, $2"));
    cr_expect_str_eq(attribute_text(hash, "backplane.plugin"), "auth");
    char *dump = json_dumps(spans, 0);
    cr_expect_null(strstr(dump, "ada@example.com"));
    cr_expect_null(strstr(dump, "hush"));
    /* The line of its log says where to look. */
    char wanted_line[256];
    snprintf(wanted_line, sizeof(wanted_line), "\"trace_id\":\"" TRACE "\",\"span_id\":\"%s\",\"method\":\"POST\"",
             text(request, "spanId"));
    cr_expect(server_wait_output(&server, wanted_line));
    free(dump);
    json_decref(spans);
    cr_assert_eq(server_stop(&server), 0);
}

/* What the database answered, where it was not what was asked for. */
Test(tracing, a_statement_that_fails)
{
    struct test_server server;
    start(&server, NULL, NULL);
    char *token = http_login(server.port, "ada@example.com");
    collector_reset(&collector);
    database_execute(&server, "ALTER TABLE todos RENAME TO gone");
    cr_expect_eq(get(&server, "/api/v1/todos", token), 500);
    json_t *select, *spans = collector_wait_for(&collector, "SELECT todos", &select);
    cr_expect_str_eq(attribute_text(select, "db.response.status_code"),
                     database_kind() == DATABASE_SQLITE ? "1" : "42P01");
    cr_expect_str_eq(attribute_text(select, "error.type"), "BP_ERROR");
    cr_expect_eq(integer(select, "status"), FAILED);
    json_decref(spans);
    free(token);
    cr_assert_eq(server_stop(&server), 0);
}

static json_t *loads(struct http_reply *reply)
{
    json_t *root = http_json(reply);
    http_reply_free(reply);
    return root;
}

Test(tracing, how_requests_end)
{
    static const struct {
        const char *target, *name, *error;
        unsigned code;
    } cases[] = {{"/slow", "GET /slow", "", 200},
                 {"/failing", "GET /failing", "500", 500},
                 {"/nowhere", "GET", "", 404},
                 {"/relay?url=http://127.0.0.1:1/", "GET /relay", "502", 502},
                 {"/relay?count=-1", "GET /relay", "", 400}};
    struct test_server server;
    struct http_reply reply;
    start(&server, CONFIG(""), NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        collector_reset(&collector);
        http_call(server.port, "GET", cases[i].target, "Accept: application/problem+json\r\n", NULL, &reply);
        cr_expect_eq(reply.status, cases[i].code);
        json_t *span, *spans = collector_wait_for(&collector, cases[i].name, &span);
        cr_expect_eq(json_integer_value(attribute(span, "http.response.status_code")), cases[i].code);
        cr_expect_eq(integer(span, "status"), cases[i].code >= 500 ? FAILED : 0);
        cr_expect_str_eq(attribute_text(span, "error.type"), cases[i].error);
        cr_expect_str_eq(text(span, "parentSpanId"), "");
        if (cases[i].code >= 400) { /* who shows the problem to somebody shows where it happened */
            json_t *problem = loads(&reply);
            cr_expect_str_eq(text(problem, "traceId"), text(span, "traceId"));
            json_decref(problem);
        } else {
            http_reply_free(&reply);
        }
        json_decref(spans);
    }
    /* The server's own log, too. */
    collector_reset(&collector);
    cr_expect_eq(get(&server, "/failing", PARENT("01")), 500);
    cr_expect(server_wait_output(&server, "\"trace_id\":\"" TRACE "\",\"span_id\":\""));
    /* A method that nobody knows becomes no name. */
    collector_reset(&collector);
    cr_expect_eq(call(&server, "BREW", "/slow", NULL, NULL), 501);
    json_t *span, *spans = collector_wait_for(&collector, "HTTP", &span);
    cr_expect_str_eq(attribute_text(span, "http.request.method"), "_OTHER");
    cr_expect_str_eq(attribute_text(span, "http.request.method_original"), "BREW");
    json_decref(spans);
    /* One whose client leaves before there is a reply. */
    collector_reset(&collector);
    int fd = http_connect(server.port);
    cr_assert(http_send_text(fd, "GET /slow HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"));
    close(fd);
    spans = collector_wait_for(&collector, "GET /slow", &span);
    cr_expect_neq(integer(span, "status"), FAILED);
    json_decref(spans);
    cr_assert_eq(server_stop(&server), 0);
}

Test(tracing, parts)
{
    struct test_server server;
    start(&server, CONFIG("spans = 10;"), NULL);
    /* A stage that waits before and after what it guards. */
    cr_expect_eq(get(&server, "/fields", "X-Wait: yes\r\n"), 200);
    json_t *spans = collector_wait(&collector, 3), *root = collector_find(spans, "GET /fields"), *span;
    size_t i, stages = 0;
    cr_assert(root);
    json_array_foreach(spans, i, span)
    {
        if (span == root)
            continue;
        cr_expect_str_eq(text(span, "name"), "all.relay");
        cr_expect_eq(integer(span, "kind"), INTERNAL);
        cr_expect_str_eq(attribute_text(span, "backplane.plugin"), "relay");
        expect_within(span, root);
        stages++;
    }
    cr_expect_eq(stages, 2);
    json_decref(spans);
    /* One that does not wait is none, and a handler that does is none either. */
    collector_reset(&collector);
    cr_expect_eq(get(&server, "/slow", NULL), 200);
    spans = collector_wait(&collector, 1);
    cr_expect_eq(json_array_size(spans), 1);
    json_decref(spans);
    /* As many as a trace holds, in each other where they were not ended. */
    collector_reset(&collector);
    cr_expect_eq(get(&server, "/spans?count=12", NULL), 200);
    spans = collector_wait(&collector, 10);
    root = collector_find(spans, "GET /spans");
    cr_expect_eq(json_array_size(spans), 10);
    json_array_foreach(spans, i, span)
    {
        if (span == root)
            continue;
        expect_within(span, root);
        cr_expect_eq(json_integer_value(attribute(span, "number")) % 2 == 0, json_is_true(attribute(span, "even")));
        cr_expect_str_eq(attribute_text(span, "bytes"), "a\xef\xbf\xbd\n\"");
    }
    json_decref(spans);
    /* Work that a request leaves behind. */
    collector_reset(&collector);
    cr_expect_eq(get(&server, "/enqueue", NULL), 202);
    spans = collector_wait(&collector, 3);
    root = collector_find(spans, "GET /enqueue");
    json_t *work = collector_find(spans, "work"), *piece = collector_find(spans, "piece");
    cr_assert(root && work && piece);
    cr_expect_str_neq(text(work, "traceId"), text(root, "traceId"));
    cr_expect_str_eq(text(work, "parentSpanId"), "");
    cr_expect_eq(integer(work, "kind"), CONSUMER);
    const json_t *link = json_array_get(json_object_get(work, "links"), 0);
    cr_expect_str_eq(text(link, "traceId"), text(root, "traceId"));
    cr_expect_str_eq(text(link, "spanId"), text(root, "spanId"));
    expect_within(piece, work);
    cr_expect_eq(integer(piece, "status"), FAILED);
    cr_expect_str_eq(attribute_text(piece, "error.type"), "late");
    char line[256];
    snprintf(line, sizeof(line), "\"event\":\"relay.worked\",\"message\":\"A line of a job\"");
    cr_expect(server_wait_output(&server, line));
    snprintf(line, sizeof(line), "\"trace_id\":\"%s\",\"span_id\":\"%s\"", text(work, "traceId"), text(work, "spanId"));
    cr_expect(server_wait_output(&server, line));
    json_decref(spans);
    cr_assert_eq(server_stop(&server), 0);
}

Test(tracing, two_servers)
{
    struct test_server first, second;
    char target[256];
    start(&first, CONFIG("service_name = \"first\";"), NULL);
    start(&second, CONFIG("service_name = \"second\";"), NULL);
    snprintf(target, sizeof(target), "/relay?url=http://127.0.0.1:%d/slow", second.port);
    cr_expect_eq(get(&first, target, PARENT("01") "tracestate: rojo=1\r\nbaggage: tenant=7\r\n"), 200);
    json_t *spans = collector_wait(&collector, 3);
    const json_t *outer = collector_find(spans, "GET /relay"), *inner = collector_find(spans, "GET /slow");
    const json_t *request = collector_find(spans, "GET");
    cr_assert(outer && inner && request);
    cr_expect_str_eq(text(json_object_get(outer, "resource"), "service.name"), "first");
    cr_expect_str_eq(text(json_object_get(inner, "resource"), "service.name"), "second");
    cr_expect_str_eq(text(outer, "parentSpanId"), SPAN);
    cr_expect_eq(integer(request, "kind"), CLIENT);
    cr_expect_eq(json_integer_value(attribute(request, "http.response.status_code")), 200);
    expect_within(request, outer);
    expect_below(inner, request);
    cr_expect_str_eq(text(inner, "traceState"), "rojo=1");
    json_decref(spans);
    cr_assert_eq(server_stop(&first), 0);
    cr_assert_eq(server_stop(&second), 0);
}

/* --- what comes in --- */

Test(tracing, what_is_passed_on)
{
    static const struct {
        const char *fields;
        bool continued;
        const char *state, *baggage;
    } cases[] = {
        {PARENT("01"), true, NULL, NULL},
        {PARENT("00") "tracestate: a=1\r\n", true, "a=1", NULL},
        {PARENT("01") "tracestate: a=1\r\ntracestate: b=2\r\n", true, "a=1, b=2", NULL},
        {PARENT("01") "tracestate: A=1\r\n", true, NULL, NULL},
        {PARENT("01") "baggage: k=v;p, l=%20\r\n", true, NULL, "k=v;p, l=%20"},
        {PARENT("01") "baggage: k=\"v\"\r\n", true, NULL, NULL},
        {"baggage: k=v\r\n", false, NULL, "k=v"},
        {"tracestate: a=1\r\n", false, NULL, NULL},
        {PARENT("01") PARENT("01"), false, NULL, NULL},
        {"traceparent: 00-" TRACE "-" SPAN "-01-extra\r\n", false, NULL, NULL},
        {"traceparent: 00-00000000000000000000000000000000-" SPAN "-01\r\ntracestate: a=1\r\n", false, NULL, NULL},
        {"traceparent: 00-" TRACE "-0000000000000000-01\r\n", false, NULL, NULL},
        {"traceparent: ff-" TRACE "-" SPAN "-01\r\n", false, NULL, NULL},
        {"traceparent: 00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01\r\n", false, NULL, NULL},
        {"traceparent: \r\n", false, NULL, NULL},
        {"traceparent: \",\\\"}\xff\r\n", false, NULL, NULL},
        {"traceparent: cc-" TRACE "-" SPAN "-01-later\r\n", true, NULL, NULL}};
    struct test_server server;
    struct http_reply reply;
    char last[64] = "";
    start(&server, CONFIG(""), NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        http_call(server.port, "GET", "/fields", cases[i].fields, NULL, &reply);
        cr_assert_eq(reply.status, 200);
        const char *parent = http_header(&reply, "traceparent");
        cr_assert(parent, "%zu", i);
        cr_expect_eq(strlen(parent), 55);
        cr_expect_eq(strncmp(parent + 3, TRACE, 32) == 0, cases[i].continued, "%zu: %s", i, parent);
        cr_expect_null(strstr(parent, SPAN));
        cr_expect_str_neq(parent, last);
        snprintf(last, sizeof(last), "%s", parent);
        const char *state = http_header(&reply, "tracestate");
        cr_expect(cases[i].state ? state && strcmp(state, cases[i].state) == 0 : !state, "%zu", i);
        const char *baggage = http_header(&reply, "baggage");
        cr_expect(cases[i].baggage ? baggage && strcmp(baggage, cases[i].baggage) == 0 : !baggage, "%zu", i);
        http_reply_free(&reply);
    }
    cr_assert_eq(server_stop(&server), 0);
    /* Where anybody may send some, nobody is believed. */
    start(&server, CONFIG("accept_parent = false;"), NULL);
    http_call(server.port, "GET", "/fields", PARENT("01") "baggage: k=v\r\n", NULL, &reply);
    cr_expect_null(strstr(http_header(&reply, "traceparent"), TRACE));
    cr_expect_null(http_header(&reply, "baggage"));
    http_reply_free(&reply);
    cr_assert_eq(server_stop(&server), 0);
}

Test(tracing, which_are_recorded)
{
    static const struct {
        const char *options, *target, *fields;
        size_t count; /* of spans */
        const char *flags;
    } cases[] = {{"sampler = \"always_on\";", "/fields", PARENT("00"), 1, "01"},
                 {"sampler = \"always_off\";", "/fields", PARENT("01"), 0, "00"},
                 {"sampler = \"parentbased_always_on\";", "/fields", PARENT("00"), 0, "00"},
                 {"sampler = \"parentbased_always_off\";", "/fields", NULL, 0, "00"},
                 {"sampler = \"parentbased_always_off\";", "/fields", PARENT("01"), 1, "01"},
                 {"sampler = \"traceidratio\"; sampler_argument = 0.0;", "/fields", PARENT("01"), 0, "00"},
                 {"sampler = \"parentbased_traceidratio\"; sampler_argument = 1.0;", "/fields", NULL, 1, "01"},
                 {"sampler = \"always_off\"; keep_slow = \"50ms\";", "/slow", NULL, 1, NULL},
                 {"sampler = \"always_off\"; keep_slow = \"10s\";", "/slow", NULL, 0, NULL},
                 {"sampler = \"always_off\"; keep_failed = true;", "/failing", NULL, 1, NULL},
                 {"sampler = \"always_off\"; keep_failed = true;", "/nowhere", NULL, 0, NULL},
                 {"sampler = \"always_off\"; keep_failed = true;", "/fields", NULL, 0, "00"},
                 {"endpoint = \"\";", "/fields", PARENT("01"), 0, "01"},
                 {"disabled = true;", "/fields", PARENT("01"), 0, NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_server server;
        struct http_reply reply;
        char config[2048];
        snprintf(config, sizeof(config), CONFIG("%s"), cases[i].options);
        if (strstr(cases[i].options, "endpoint")) { /* said twice would be refused */
            char *first = strstr(config, "endpoint = \"${");
            memset(first, ' ', strlen("endpoint = \"${OTEL_EXPORTER_OTLP_ENDPOINT:-}\";"));
        }
        start(&server, config, NULL);
        http_call(server.port, "GET", cases[i].target, cases[i].fields, NULL, &reply);
        const char *parent = http_header(&reply, "traceparent");
        cr_expect_eq(parent != NULL, cases[i].flags != NULL, "%zu", i);
        if (parent && cases[i].flags)
            cr_expect_str_eq(parent + 53, cases[i].flags, "%zu", i);
        http_reply_free(&reply);
        cr_assert_eq(server_stop(&server), 0); /* sends what there is */
        json_t *spans = collector_spans(&collector);
        cr_expect_eq(json_array_size(spans), cases[i].count, "%zu: %zu", i, json_array_size(spans));
        json_decref(spans);
    }
}

Test(tracing, without_a_collector)
{
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){0});
    http_call(server.port, "GET", "/nowhere", PARENT("01") "Accept: application/problem+json\r\n", NULL, &reply);
    json_t *problem = loads(&reply);
    cr_expect_str_eq(text(problem, "traceId"), TRACE);
    json_decref(problem);
    cr_expect(server_wait_output(&server, "\"trace_id\":\"" TRACE "\",\"span_id\":\""));
    cr_assert_eq(server_stop(&server), 0);
    const char *environment[] = {"OTEL_SDK_DISABLED=true", collector.endpoint, NULL};
    server_start(&server, &(struct server_options){.environment = environment});
    http_call(server.port, "GET", "/nowhere", PARENT("01") "Accept: application/problem+json\r\n", NULL, &reply);
    cr_expect_null(strstr(reply.body, "traceId"));
    http_reply_free(&reply);
    cr_assert_eq(server_stop(&server), 0);
    json_t *spans = collector_spans(&collector);
    cr_expect_eq(json_array_size(spans), 0);
    json_decref(spans);
}

/* At most so many in a second, however many come. */
Test(tracing, rate)
{
    struct test_server server;
    start(&server, CONFIG("rate = 5;"), NULL);
    for (unsigned i = 0; i < 100; i++)
        cr_assert_eq(get(&server, "/fields", PARENT("01")), 200);
    cr_assert_eq(server_stop(&server), 0);
    json_t *spans = collector_spans(&collector);
    cr_expect(json_array_size(spans) >= 5 && json_array_size(spans) < 50, "%zu", json_array_size(spans));
    json_decref(spans);
}
