/* SPDX-License-Identifier: MIT */
/* Streams that stay open behind their handler are long, not slow: to traces, to the access log, to metrics and to who watches. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "build_info.h"
#include "observed.h"
#include "tests/support/http.h"

#define CONFIG(OPTIONS)                                                                                         \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"   \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                                             \
    "plugins: ( { use = \"http_client\"; }, { use = \"lasting\"; }, { use = \"health\"; },\n"                   \
    "  { use = \"access_log\"; slow = \"200ms\"; sample = 0.0; }, { use = \"metrics\"; },\n"                    \
    "  { use = \"tracing\"; endpoint = \"${OTEL_EXPORTER_OTLP_ENDPOINT}\"; schedule_delay = \"20ms\"; " OPTIONS \
    "} );\n"                                                                                                    \
    "pipelines: { all = ( \"tracing\", \"access_log\", \"metrics\", \"lasting\" ); none = (); };\n"             \
    "routes: ( { match = \"/lasting/open\"; pipeline = \"all\"; },\n"                                           \
    "  { match = \"/lasting/open-any\"; pipeline = \"all\"; }, { match = \"/*\"; pipeline = \"none\"; } );\n"

enum { SLOW = 200 };

TestSuite(streams, .init = observed_init, .fini = observed_fini, .timeout = 120);

static void start_afresh(const char *config)
{
    start(config);
    collector_reset(&collector); /* whether it lives was asked */
}

static int open_stream(const char *target)
{
    char text[256];
    size_t len = 0;
    int fd = http_connect(server.port);
    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    cr_assert(http_send_text(fd, text));
    do
        len += recv(fd, text + len, 1, 0) == 1 ? 1 : sizeof(text);
    while (len < sizeof(text) && (len < 6 || memcmp(text + len - 6, "hello\n", 6) != 0));
    cr_assert_lt(len, sizeof(text));
    return fd;
}

static bool ends_within(int fd, int milliseconds)
{
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};
    return poll(&end, 1, milliseconds) != 0;
}

static char *get(const char *target)
{
    struct http_reply reply;
    http_call(server.port, "GET", target, NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    char *body = strdup(reply.body);
    http_reply_free(&reply);
    return body;
}

/* Ends what is open, and waits until it is. */
static void end(int fd)
{
    char text[64];
    free(get("/lasting/end"));
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, text, sizeof(text), 0) > 0)
        ;
    close(fd);
}

static double milliseconds(const json_t *span)
{
    const char *began = json_string_value(json_object_get(span, "start")),
               *ended = json_string_value(json_object_get(span, "end"));
    cr_assert(began && ended);
    return (strtod(ended, NULL) - strtod(began, NULL)) / 1e6;
}

static double metric(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    cr_assert(at, "%s is not in %s", name, text);
    return strtod(at + strlen(name), NULL);
}

/* Its span comes while it is open. */
Test(streams, sampled)
{
    static const char *const targets[] = {"/lasting/open?mode=", "/lasting/open-any"};
    start_afresh(CONFIG(""));
    for (size_t i = 0; i < 2; i++) {
        json_t *span, *spans;
        const char *name = i == 0 ? "GET /lasting/open" : "GET /lasting/open-any";
        int fd = open_stream(targets[i]);
        spans = collector_wait_for(&collector, name, &span);
        cr_expect_eq(
            json_integer_value(json_object_get(json_object_get(span, "attributes"), "http.response.status_code")), 200);
        cr_assert_not(ends_within(fd, 2 * SLOW));
        cr_expect_lt(milliseconds(span), SLOW);
        json_decref(spans);
        end(fd);
    }
    /* Once. */
    cr_assert_eq(server_stop_keep(&server), 0);
    json_t *spans = collector_spans(&collector);
    cr_expect_eq(json_array_size(spans), 2);
    json_decref(spans);
    char *log = server_output(&server);
    cr_expect_null(strstr(log, "http.slow"), "%s", log);
    free(log);
    server_remove_folder(&server);
}

/* That it lasts makes no stream slow; what its handler waits for does. */
Test(streams, slow)
{
    start_afresh(CONFIG("sampler = \"always_off\"; keep_slow = \"200ms\"; "));
    int fd = open_stream("/lasting/open?mode=");
    cr_assert_not(ends_within(fd, 2 * SLOW));
    end(fd);
    char *text = get("/metrics");
    cr_expect_lt(metric(text,
                        "http_server_request_duration_seconds_sum{http_request_method=\"GET\",http_route=\"/lasting/"
                        "open\",http_response_status_code=\"200\"} "),
                 SLOW / 1e3);
    free(text);
    fd = open_stream("/lasting/open?mode=late");
    cr_assert_not(ends_within(fd, 2 * SLOW));
    end(fd);
    text = get("/metrics");
    cr_expect_gt(metric(text,
                        "http_server_request_duration_seconds_sum{http_request_method=\"GET\",http_route=\"/lasting/"
                        "open\",http_response_status_code=\"200\"} "),
                 2 * SLOW / 1e3);
    free(text);
    cr_assert_eq(server_stop_keep(&server), 0);
    json_t *spans = collector_spans(&collector);
    cr_expect_eq(json_array_size(spans), 1);
    cr_expect_gt(milliseconds(json_array_get(spans, 0)), 2 * SLOW);
    json_decref(spans);
    char *log = server_output(&server);
    cr_expect_null(strstr(log, "\"target\":\"/lasting/open?mode=\""), "%s", log);
    cr_expect_not_null(strstr(log, "\"event\":\"http.slow\""), "%s", log);
    free(log);
    server_remove_folder(&server);
}
