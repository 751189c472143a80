/* SPDX-License-Identifier: MIT */
/* What is not sent, or not taken. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "origin.h"
#include "tests/support/service.h"

static struct call call;
static bp_str loopback = BP_STR_INIT("127.0.0.1");

static void start(void)
{
    origin_start(NULL, NULL);
    fixture_new();
    fixture_start();
}

static void stop(void)
{
    fixture_close();
    origin_stop();
}

Test(refusals, misuse, .init = start, .fini = stop)
{
    static const struct {
        const char *method, *name, *value;
        uint32_t redirects;
    } cases[] = {
        {"GE T", "A", "b", 0},
        {"GET\r\nX: y", "A", "b", 0},
        {"CONNECT", "A", "b", 0},
        {"POST", "A", "b", 1},
        {"GET", "", "b", 0},
        {"GET", "A b", "c", 0},
        {"GET", "A:", "c", 0},
        {"GET", "A", "b\r\nC: d", 0},
        {"GET", "A", "b\nC: d", 0},
        {"GET", "Content-Length", "3", 0},
        {"GET", "transfer-encoding", "chunked", 0},
        {"GET", "Host", "elsewhere", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct bp_http_header header = {bp_str_of(cases[i].name), bp_str_of(cases[i].value)};
        call.request = (struct bp_http_request){.method = bp_str_of(cases[i].method),
                                                .headers = &header,
                                                .header_count = 1,
                                                .redirects = cases[i].redirects};
        call_get(&call, "127.0.0.1", "/hello");
        cr_expect_eq(call.status, BP_MISUSE, "%zu: %d", i, call.status);
    }
    cr_expect_eq(atomic_load(&origin.connections), 0);
}

static char names_path[] = "/tmp/backplane-names-XXXXXX";

/* No name server is asked. */
static void start_with_names(void)
{
    int fd = mkstemp(names_path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    cr_assert(file && fputs("nobody.invalid -\nsomebody.invalid 127.0.0.1\n", file) >= 0 && fclose(file) == 0);
    cr_assert_eq(setenv("FAKE_NAMES", names_path, 1), 0);
    start();
}

static void stop_with_names(void)
{
    stop();
    unlink(names_path);
}

Test(refusals, urls, .init = start_with_names, .fini = stop_with_names)
{
    static const struct {
        const char *url;
        int status;
        const char *why;
    } cases[] = {
        {"", BP_HTTP_E_URL, "the URL is malformed"},
        {"/hello", BP_HTTP_E_URL, "the URL is malformed"},
        {"http://", BP_HTTP_E_URL, "the URL is malformed"},
        {"http://127.0.0.1:99999/", BP_HTTP_E_URL, "the URL is malformed"},
        {"http://a b/", BP_HTTP_E_URL, "the URL is malformed"},
        {"http://a/\r\nX: y", BP_HTTP_E_URL, "the URL is malformed"},
        {"ftp://127.0.0.1/", BP_HTTP_E_URL, "the URL must begin with https:// or http://"},
        {"file:///etc/passwd", BP_HTTP_E_URL, NULL},
        {"gopher://127.0.0.1/", BP_HTTP_E_URL, "the URL must begin with https:// or http://"},
        {"http://nobody.invalid/", BP_HTTP_E_NAME, "Could not resolve host: nobody.invalid"},
        {"http://127.0.0.1:1/", BP_HTTP_E_CONNECT, NULL},
    };
    call.request = (struct bp_http_request){.flags = 0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(call.url, sizeof(call.url), "%s", cases[i].url);
        call_begin(&call);
        call_wait(&call);
        cr_expect_eq(call.status, cases[i].status, "%s: %d %s", cases[i].url, call.status, call.why);
        if (cases[i].why)
            cr_expect_str_eq(call.why, cases[i].why);
        else
            cr_expect_neq(call.why[0], '\0', "%s", cases[i].url);
    }
    call_get(&call, "somebody.invalid", "/hello");
    cr_expect_eq(call.status, 0, "%s", call.why);
}

Test(refusals, responses, .init = start, .fini = stop)
{
    static const struct {
        const char *path;
        int status;
        const char *why;
    } cases[] = {
        {"/large", BP_HTTP_E_TOO_LARGE, "the response is larger than 10000 bytes"},
        {"/endless", BP_HTTP_E_TOO_LARGE, "the response is larger than 10000 bytes"},
        {"/reset", BP_HTTP_E_SENT, "Recv failure: Connection reset by peer"},
        {"/short", BP_HTTP_E_SENT, "transfer closed with 95 bytes remaining to read"},
        {"/garbage", BP_HTTP_E_RESPONSE, "Received HTTP/0.9 when not allowed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        call.request = (struct bp_http_request){.response_max = 10000};
        call_get(&call, "127.0.0.1", cases[i].path);
        cr_expect_eq(call.status, cases[i].status, "%s: %d %s", cases[i].path, call.status, call.why);
        cr_expect_str_eq(call.why, cases[i].why);
        cr_expect_eq(call.answer, 0);
    }
    cr_expect(strstr(fixture_metrics(), "error_type=\"too_large\"} 2\n"), "%s", fixture_metrics());
    /* Exactly so many are taken. */
    call.request = (struct bp_http_request){.response_max = 5};
    call_get(&call, "127.0.0.1", "/hello");
    cr_expect_str_eq(call.body, "hello");
}

/* For those who want the status and a bit of the body, whatever its length and whether the head says it. */
Test(refusals, cut, .init = start, .fini = stop)
{
    static const struct {
        const char *path;
        size_t max, len;
    } cases[] = {{"/hello", 5, 5}, {"/hello", 4, 4}, {"/hello", 100, 5}, {"/endless", 10000, 10000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        call.request = (struct bp_http_request){.response_max = cases[i].max, .flags = BP_HTTP_CUT};
        call_get(&call, "127.0.0.1", cases[i].path);
        cr_expect_eq(call.status, 0, "%s: %d %s", cases[i].path, call.status, call.why);
        cr_expect_eq(call.answer, 200);
        cr_expect_eq(call.body_len, cases[i].len, "%s: %zu", cases[i].path, call.body_len);
    }
}

/* ---- guarded ---- */

Test(refusals, guarded, .init = start, .fini = stop)
{
    static const char *const names[] = {"127.0.0.1",  "localhost", "127.0.0.2",         "0.0.0.0",
                                        "2130706433", "0x7f.1",    "[::ffff:127.0.0.1]"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        /* A connection that an unguarded request has left behind is of no use to a guarded one. */
        call.request = (struct bp_http_request){.flags = 0};
        call_get(&call, names[i], "/hello");
        unsigned before = atomic_load(&origin.requests);
        call.request.flags = BP_HTTP_GUARDED;
        call_get(&call, names[i], "/hello");
        cr_expect_eq(call.status, BP_HTTP_E_ADDRESS, "%s: %d %s", names[i], call.status, call.why);
        cr_expect(strstr(call.why, " is not an address of the public internet"), "%s: %s", names[i], call.why);
        cr_expect_eq(atomic_load(&origin.requests), before, "%s", names[i]);
    }
    cr_expect(strstr(fixture_metrics(),
                     "server_address=\"_OTHER\",http_response_status_code=\"\",error_type=\"address\"} 7\n"),
              "%s", fixture_metrics());
}

static void start_with_exception(void)
{
    origin_start(NULL, NULL);
    fixture_new();
    client->private_networks = (struct bp_array){&loopback, 1};
    fixture_start();
}

Test(refusals, exceptions, .init = start_with_exception, .fini = stop)
{
    call.request = (struct bp_http_request){.flags = BP_HTTP_GUARDED};
    call_get(&call, "127.0.0.1", "/hello");
    cr_expect_eq(call.status, 0, "%s", call.why);
    call_get(&call, "127.0.0.2", "/hello");
    cr_expect_eq(call.status, BP_HTTP_E_ADDRESS);
    cr_expect_str_eq(call.why, "127.0.0.2 is not an address of the public internet");
}

/* A proxy of the environment would be connected to in place of the server. */
static void start_with_proxy(void)
{
    cr_assert_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    start();
}

Test(refusals, no_proxy, .init = start_with_proxy, .fini = stop)
{
    call.request = (struct bp_http_request){.flags = 0};
    call_get(&call, "127.0.0.1", "/hello");
    cr_expect_eq(call.status, 0, "%s", call.why);
}
