/* SPDX-License-Identifier: MIT */
/* What is sent and what comes back. */
#include <criterion/criterion.h>

#include "fixture.h"
#include "origin.h"
#include "tests/support/certificate.h"
#include "tests/support/service.h"

static struct call call;

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

Test(requests, responses, .init = start, .fini = stop)
{
    static const struct {
        const char *method, *path;
        unsigned answer;
        const char *body, *fields;
    } cases[] = {
        {"", "/hello", 200, "hello", "content-length=5\nx-one=1\nx-empty=\nx-two=two words\nx-one=again\n"},
        {"HEAD", "/hello", 200, "", "content-length=5\nx-one=1\nx-empty=\nx-two=two words\nx-one=again\n"},
        {"GET", "/early", 201, "made", "content-length=4\na=b\n"},
        {"GET", "/chunked", 200, "abcde", "transfer-encoding=chunked\n"},
        {"DELETE", "/nothing", 204, "", ""},
        {"GET", "/missing", 404, "no", "content-length=2\n"},
        {"GET", "/redirect", 302, "elsewhere", "content-length=9\nlocation=/hello\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        call.request = (struct bp_http_request){.method = bp_str_of(cases[i].method)};
        call_get(&call, "127.0.0.1", cases[i].path);
        cr_expect_eq(call.status, 0, "%s: %d %s", cases[i].path, call.status, call.why);
        cr_expect_eq(call.answer, cases[i].answer, "%s: %u", cases[i].path, call.answer);
        cr_expect_str_eq(call.body, cases[i].body);
        cr_expect_str_eq(call.fields, cases[i].fields);
    }
    /* All of them on one connection. */
    cr_expect_eq(atomic_load(&origin.connections), 1);
    cr_expect(
        strstr(fixture_metrics(),
               "http_client_request_duration_seconds_count{http_request_method=\"GET\",server_address=\"127.0.0.1\","
               "http_response_status_code=\"404\",error_type=\"404\"} 1\n"),
        "%s", fixture_metrics());
    cr_expect(strstr(fixture_metrics(), "http_client_active_requests 0\n"));
}

static void expect_sent(const char *text)
{
    cr_expect(strstr(call.body, text), "%s is not in %s", text, call.body);
}

Test(requests, what_is_sent, .init = start, .fini = stop)
{
    const struct bp_http_header headers[] = {{BP_STR_INIT("X-Key"), BP_STR_INIT("a b")},
                                             {BP_STR_INIT("X-Empty"), BP_STR_INIT("")},
                                             {BP_STR_INIT("Content-Type"), BP_STR_INIT("application/json")}};
    call.request = (struct bp_http_request){
        .method = BP_STR("PATCH"), .headers = headers, .header_count = 3, .body = BP_STR("{\"a\":1}")};
    call_get(&call, "127.0.0.1", "/echo");
    cr_expect_eq(call.status, 0, "%s", call.why);
    expect_sent("PATCH /echo HTTP/1.1\r\n");
    expect_sent("\r\nX-Key: a b\r\n");
    expect_sent("\r\nX-Empty:\r\n");
    expect_sent("\r\nContent-Type: application/json\r\n");
    expect_sent("\r\nContent-Length: 7\r\n");
    expect_sent("\r\nUser-Agent: backplane/");
    expect_sent("|{\"a\":1}");
    cr_expect_null(strstr(call.body, "Expect"), "%s", call.body);

    call.request = (struct bp_http_request){.method = BP_STR("POST")};
    call_get(&call, "127.0.0.1", "/echo");
    expect_sent("POST /echo HTTP/1.1\r\n");
    expect_sent("\r\nContent-Length: 0\r\n");
    cr_expect_null(strstr(call.body, "Content-Type"), "%s", call.body);

    const struct bp_http_header agent = {BP_STR_INIT("User-Agent"), BP_STR_INIT("mine")};
    call.request = (struct bp_http_request){.method = BP_STR("DELETE"), .headers = &agent, .header_count = 1};
    call_get(&call, "127.0.0.1", "/echo");
    expect_sent("DELETE /echo HTTP/1.1\r\n");
    expect_sent("\r\nUser-Agent: mine\r\n");
    cr_expect_null(strstr(call.body, "backplane"), "%s", call.body);
}

Test(requests, redirects, .init = start, .fini = stop)
{
    call.request = (struct bp_http_request){.redirects = 1};
    call_get(&call, "127.0.0.1", "/redirect");
    cr_expect_eq(call.status, 0, "%s", call.why);
    cr_expect_eq(call.answer, 200);
    cr_expect_str_eq(call.body, "hello");
    cr_expect_null(strstr(call.fields, "location"), "%s", call.fields);
    call.request.redirects = 3;
    call_get(&call, "127.0.0.1", "/loop");
    cr_expect_eq(call.status, BP_HTTP_E_TOO_MANY_REDIRECTS);
    cr_expect_str_eq(call.why, "Maximum (3) redirects followed");
    call_get(&call, "127.0.0.1", "/file");
    cr_expect_eq(call.status, BP_HTTP_E_URL, "%d", call.status);
    call.request.flags = BP_HTTP_TLS_ONLY;
    call_get(&call, "127.0.0.1", "/redirect");
    cr_expect_eq(call.status, BP_HTTP_E_URL);
    cr_expect_str_eq(call.why, "the URL must begin with https://");
}

/* The server has closed what the client kept: the next request does not fail by that. */
Test(requests, stale_connection, .init = start, .fini = stop)
{
    call.request = (struct bp_http_request){.method = BP_STR("GET")};
    call_get(&call, "127.0.0.1", "/once");
    cr_expect_str_eq(call.body, "once");
    call.request.method = BP_STR("POST");
    call.request.body = BP_STR("x");
    call_get(&call, "127.0.0.1", "/echo");
    cr_expect_eq(call.status, 0, "%s", call.why);
    expect_sent("POST /echo");
    cr_expect_eq(atomic_load(&origin.connections), 2);
}

/* ---- TLS ---- */

static char folder[SERVICE_FOLDER_SIZE], certificate[128];

static void start_tls(void)
{
    char key[128];
    service_folder(folder);
    certificate_make(folder);
    snprintf(certificate, sizeof(certificate), "%s/server.crt", folder);
    snprintf(key, sizeof(key), "%s/server.key", folder);
    origin_start(certificate, key);
    fixture_new();
    fixture_start();
}

static void stop_tls(void)
{
    stop();
    service_folder_remove(folder);
}

Test(requests, tls, .init = start_tls, .fini = stop_tls)
{
    const struct {
        const char *name, *authority;
        int status;
        const char *why;
    } cases[] = {
        {"localhost", certificate, 0, ""},
        {"127.0.0.1", certificate, 0, ""},
        {"127.0.0.2", certificate, BP_HTTP_E_TLS,
         "SSL: no alternative certificate subject name matches target host name '127.0.0.2'"},
        {"localhost", "", BP_HTTP_E_TLS, "SSL certificate problem: self-signed certificate"},
        {"localhost", "/nonexistent/ca.pem", BP_HTTP_E_FILE, "error setting certificate file: /nonexistent/ca.pem"},
        {"localhost", certificate, 0, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        call.request = (struct bp_http_request){.ca_file = bp_str_of(cases[i].authority), .flags = BP_HTTP_TLS_ONLY};
        call_url(&call, "https", cases[i].name, "/hello");
        call_begin(&call);
        call_wait(&call);
        cr_expect_eq(call.status, cases[i].status, "%zu: %d %s", i, call.status, call.why);
        cr_expect_str_eq(call.why, cases[i].why);
        cr_expect_str_eq(call.body, cases[i].status == 0 ? "hello" : "");
    }
    /* The last found the connection of the first; that of another name or authority is not shared. */
    cr_expect_eq(atomic_load(&origin.requests), 3);
    /* Not TLS at all. */
    call.request = (struct bp_http_request){.flags = 0};
    call_get(&call, "127.0.0.1", "/hello");
    cr_expect_gt(call.status, 0, "%d", call.status);
}
