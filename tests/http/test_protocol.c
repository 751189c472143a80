/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 as a client sees it: framing, order, limits, life and death of connections. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

static const char config[] =
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); workers = 1; data = \"${BACKPLANE_DATA}\";\n"
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; head_timeout = \"1s\"; body_timeout = \"1s\";\n"
    "  idle_timeout = \"2s\"; request_timeout = \"3s\"; fin_grace = \"300ms\"; body_limit = 100000; };\n"
    "plugins: ( { use = \"probe\"; }, { use = \"health\"; }, { use = \"request_id\"; } );\n"
    "pipelines: { base = ( \"request_id\", { use = \"probe\"; mode = \"after\"; } ); };\n"
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n";

static struct test_server server;

static void start(void)
{
    server_start(&server, &(struct server_options){.config = config});
}

static void stop(void)
{
    cr_assert_eq(server_stop(&server), 0);
}

TestSuite(protocol, .init = start, .timeout = 60);

#define HOST "Host: x\r\n"

Test(protocol, refuses_what_is_malformed)
{
    static const struct {
        const char *bytes;
        unsigned status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /a b HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /#x HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "A: b\001\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
        {"GET /probe/%zz HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /../x HTTP/1.1\r\n" HOST "\r\n", 400},
        {"BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
        {"POST /probe/echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST /probe/echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
        {"POST /probe/echo HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na", 400},
        {"POST /probe/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST /probe/echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST /probe/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        {"POST /probe/echo HTTP/1.1\r\n" HOST "Expect: magic\r\nContent-Length: 0\r\n\r\n", 417},
        {"POST /probe/echo HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\n", 413},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;
        int fd = http_connect(server.port);
        cr_assert(http_send_text(fd, cases[i].bytes));
        cr_assert(http_read(fd, false, &reply), "case %zu: no reply", i);
        cr_expect_eq(reply.status, cases[i].status, "case %zu: %u %s", i, reply.status, reply.body);
        json_t *body = http_json(&reply);
        cr_expect_str_eq(http_json_text(body, "status"), reply.status < 500 ? "fail" : "error");
        cr_expect_str_eq(http_json_text(body, "requestId"), http_header(&reply, "X-Request-ID"));
        json_decref(body);
        if (cases[i].status == 400 && !strstr(cases[i].bytes, "/probe/%") && !strstr(cases[i].bytes, "/../"))
            cr_expect(reply.close && http_read_end(fd), "case %zu: stays open", i);
        http_reply_free(&reply);
        close(fd);
    }
    stop();
}

Test(protocol, limits)
{
    static const struct {
        size_t target, field, fields;
        unsigned status;
    } cases[] = {{8192, 0, 0, 404}, {8193, 0, 0, 414}, {1, 16000, 0, 404}, {1, 17000, 0, 431},
                 {1, 10, 97, 404},  {1, 10, 120, 431}, {1, 9000, 5, 431}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *bytes = malloc(200000), *at = bytes;
        at += sprintf(at, "GET /");
        memset(at, 'a', cases[i].target - 1);
        at += cases[i].target - 1;
        at += sprintf(at, " HTTP/1.1\r\n" HOST);
        for (size_t f = 0; f < (cases[i].fields ? cases[i].fields : cases[i].field > 0); f++) {
            at += sprintf(at, "X: ");
            memset(at, 'b', cases[i].field);
            at += cases[i].field;
            at += sprintf(at, "\r\n");
        }
        at += sprintf(at, "\r\n");
        struct http_reply reply;
        int fd = http_connect(server.port);
        (void)http_send(fd, bytes, (size_t)(at - bytes));
        cr_assert(http_read(fd, false, &reply), "case %zu: no reply", i);
        cr_expect_eq(reply.status, cases[i].status, "case %zu: %u", i, reply.status);
        http_reply_free(&reply);
        close(fd);
        free(bytes);
    }
    stop();
}

Test(protocol, every_split_of_a_request_is_the_same_request)
{
    static const char bytes[] = "POST /probe/echo HTTP/1.1\r\n" HOST
                                "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n";
    int fd = http_connect(server.port);
    for (size_t cut = 1; cut < sizeof(bytes) - 1; cut++) {
        struct http_reply reply;
        cr_assert(http_send(fd, bytes, cut));
        (void)poll(NULL, 0, 1); /* two segments, most likely; correct either way */
        cr_assert(http_send(fd, bytes + cut, sizeof(bytes) - 1 - cut));
        cr_assert(http_read(fd, false, &reply), "cut %zu", cut);
        cr_assert_eq(reply.status, 200, "cut %zu: %u %s", cut, reply.status, reply.body);
        cr_assert_str_eq(reply.body, "hello world");
        http_reply_free(&reply);
    }
    close(fd);
    stop();
}

Test(protocol, pipelined_requests_are_answered_in_order)
{
    char bytes[8192] = "";
    for (int i = 0; i < 40; i++)
        sprintf(bytes + strlen(bytes), "POST /probe/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n%02d", i);
    strcat(bytes, "GET /probe/sleep/50 HTTP/1.1\r\n" HOST "\r\nGET /probe/ok HTTP/1.1\r\n" HOST "\r\n");
    int fd = http_connect(server.port);
    cr_assert(http_send_text(fd, bytes));
    shutdown(fd, SHUT_WR); /* after a FIN complete requests are still answered */
    for (int i = 0; i < 40; i++) {
        struct http_reply reply;
        cr_assert(http_read(fd, false, &reply), "reply %d", i);
        cr_assert_eq(atoi(reply.body), i);
        http_reply_free(&reply);
    }
    for (int i = 0; i < 2; i++) {
        struct http_reply reply;
        cr_assert(http_read(fd, false, &reply));
        cr_assert(strstr(reply.body, i == 0 ? "slept" : "ignored"));
        http_reply_free(&reply);
    }
    cr_assert(http_read_end(fd));
    close(fd);
    stop();
}

Test(protocol, bodies)
{
    struct http_reply reply;
    char *large = malloc(100001);
    memset(large, 'z', 100000);
    large[100000] = 0;
    http_call(server.port, "POST", "/probe/echo", NULL, large, &reply);
    cr_assert_eq(reply.status, 200);
    cr_assert_eq(reply.body_len, 100000);
    cr_assert_str_eq(reply.body, large);
    http_reply_free(&reply);
    free(large);
    http_call(server.port, "PUT", "/probe/small", NULL, "0123456789", &reply);
    cr_assert_eq(reply.status, 200);
    http_reply_free(&reply);
    http_call(server.port, "PUT", "/probe/small", NULL, "0123456789a", &reply);
    cr_assert_eq(reply.status, 413);
    http_reply_free(&reply);
    http_call(server.port, "PUT", "/probe/small", "Transfer-Encoding: chunked\r\n", NULL, &reply); /* never ends: 1 s */
    cr_assert_eq(reply.status, 408);
    http_reply_free(&reply);
    stop();
}

Test(protocol, an_unread_body_does_not_become_a_request)
{
    struct http_reply reply;
    int fd = http_connect(server.port);
    cr_assert(http_send_text(fd, "POST /probe/ignore HTTP/1.1\r\n" HOST
                                 "Content-Length: 41\r\n\r\nGET /probe/smuggled HTTP/1.1\r\n" HOST "\r\n"));
    cr_assert(http_read(fd, false, &reply) && reply.status == 200);
    http_reply_free(&reply);
    cr_assert(http_send_text(fd, "POST /probe/ignore HTTP/1.1\r\n" HOST
                                 "Transfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\nGET "
                                 "/probe/ok HTTP/1.1\r\n" HOST "\r\n"));
    cr_assert(http_read(fd, false, &reply) && reply.status == 200);
    http_reply_free(&reply);
    cr_assert(http_read(fd, false, &reply));
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    http_reply_free(&reply);
    close(fd);
    stop();
}

Test(protocol, expectations)
{
    char interim[64];
    struct http_reply reply;
    int fd = http_connect(server.port);
    cr_assert(
        http_send_text(fd, "POST /probe/echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
    cr_assert_eq(recv(fd, interim, 25, MSG_WAITALL), 25);
    cr_assert(strncmp(interim, "HTTP/1.1 100 Continue\r\n\r\n", 25) == 0);
    cr_assert(http_send_text(fd, "abc") && http_read(fd, false, &reply));
    cr_assert_str_eq(reply.body, "abc");
    http_reply_free(&reply);
    /* Refused before the body: no 100, and the connection ends, since nobody knows whether the body will come. */
    cr_assert(http_send_text(fd, "POST /probe/echo HTTP/1.1\r\n" HOST
                                 "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n"));
    cr_assert_eq(recv(fd, interim, 12, MSG_WAITALL | MSG_PEEK), 12);
    cr_assert(strncmp(interim, "HTTP/1.1 413", 12) == 0);
    cr_assert(http_read(fd, false, &reply) && reply.close && http_read_end(fd));
    http_reply_free(&reply);
    close(fd);
    stop();
}

Test(protocol, head_and_options)
{
    struct http_reply get, head;
    http_call(server.port, "GET", "/probe/big/1000", NULL, NULL, &get);
    http_call(server.port, "HEAD", "/probe/big/1000", NULL, NULL, &head);
    cr_assert_eq(head.status, 200);
    cr_assert_str_eq(http_header(&head, "Content-Length"), "1000");
    cr_assert_eq(get.body_len, 1000);
    http_reply_free(&get);
    http_reply_free(&head);
    http_call(server.port, "OPTIONS", "/probe/big/1", NULL, NULL, &head);
    cr_assert_eq(head.status, 204);
    cr_assert_str_eq(http_header(&head, "Allow"), "GET, HEAD, OPTIONS");
    http_reply_free(&head);
    http_call(server.port, "OPTIONS", "*", NULL, NULL, &head);
    cr_assert_eq(head.status, 204);
    http_reply_free(&head);
    http_call(server.port, "DELETE", "/probe/echo", NULL, NULL, &head);
    cr_assert_eq(head.status, 405);
    cr_assert_str_eq(http_header(&head, "Allow"), "POST, OPTIONS");
    http_reply_free(&head);
    stop();
}

Test(protocol, versions_and_persistence)
{
    static const struct {
        const char *bytes, *connection;
        bool closes;
    } cases[] = {{"GET /probe/ok HTTP/1.1\r\n" HOST "\r\n", NULL, false},
                 {"GET /probe/ok HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "close", true},
                 {"GET /probe/ok HTTP/1.0\r\n\r\n", "close", true},
                 {"GET /probe/ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", false},
                 {"\r\n\r\nGET http://h/probe/ok HTTP/1.1\r\n" HOST "\r\n", NULL, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;
        int fd = http_connect(server.port);
        cr_assert(http_send_text(fd, cases[i].bytes) && http_read(fd, false, &reply), "case %zu", i);
        cr_expect_eq(reply.status, 200, "case %zu: %u", i, reply.status);
        const char *connection = http_header(&reply, "Connection");
        cr_expect(cases[i].connection ? connection && !strcmp(connection, cases[i].connection) : !connection,
                  "case %zu", i);
        if (cases[i].closes)
            cr_expect(http_read_end(fd), "case %zu stays open", i);
        http_reply_free(&reply);
        close(fd);
    }
    stop();
}

Test(protocol, streams)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/probe/stream/3000", NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200);
    cr_assert_eq(reply.body_len, 3000000);
    cr_assert_str_eq(http_header(&reply, "Transfer-Encoding"), "chunked");
    cr_assert_str_eq(http_header(&reply, "X-On-Head"), "1");
    cr_assert_null(http_header(&reply, "X-After")); /* the head was out */
    http_reply_free(&reply);
    int fd = http_connect(server.port);
    cr_assert(http_send_text(fd, "GET /probe/stream/10 HTTP/1.0\r\n\r\n") && http_read(fd, false, &reply));
    cr_assert_eq(reply.body_len, 10000);
    cr_assert_null(http_header(&reply, "Transfer-Encoding"));
    http_reply_free(&reply);
    close(fd);
    stop();
}

/* A stream cut by an error must not look whole. */
Test(protocol, a_failed_stream_is_cut)
{
    size_t len;
    char *all = http_raw(server.port, "GET /probe/late HTTP/1.1\r\n" HOST "\r\n", 37, &len);
    cr_assert(strstr(all, "200 OK"));
    cr_assert_null(strstr(all, "0\r\n\r\n"));
    free(all);
    stop();
}

static json_t *stats(void)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/probe/stats", NULL, NULL, &reply);
    json_t *root = http_json(&reply);
    http_reply_free(&reply);
    return root;
}

static bool wait_for(const char *name, long long value)
{
    for (int i = 0; i < 2000; i++) {
        json_t *now = stats();
        long long is = http_json_integer(now, name);
        json_decref(now);
        if (is >= value)
            return true;
        (void)poll(NULL, 0, 5);
    }
    return false;
}

static void leave(const char *bytes, bool reset)
{
    struct linger hard = {.l_onoff = 1};
    int fd = http_connect(server.port);
    cr_assert(http_send_text(fd, bytes));
    (void)poll(NULL, 0, 30); /* the request is most likely suspended by then; correct either way */
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(fd);
}

/* The client leaves at every kind of suspension. */
Test(protocol, leaving_cancels)
{
    static const char *const requests[] = {
        "GET /probe/wait HTTP/1.1\r\n" HOST "\r\n",
        "GET /probe/sleep/20000 HTTP/1.1\r\n" HOST "\r\n",
        "POST /probe/echo HTTP/1.1\r\n" HOST "Content-Length: 50\r\n\r\nabc",
        "GET /probe/stream/100000 HTTP/1.1\r\n" HOST "\r\n",
    };
    long long expected = 0;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        for (int reset = 0; reset < 2; reset++) {
            leave(requests[i], reset);
            expected++;
            cr_assert(wait_for("canceled", expected), "request %zu, reset %d", i, reset);
            cr_assert(wait_for("aborted", expected), "request %zu, reset %d", i, reset);
        }
    leave("GET /probe/offload/200 HTTP/1.1\r\n" HOST "\r\n", true); /* not cancelled: it returns after it ended */
    cr_assert(wait_for("aborted", expected + 1));
    stop();
}

Test(protocol, deadlines)
{
    struct http_reply reply;
    int slow = http_connect(server.port), idle = http_connect(server.port), silent = http_connect(server.port);
    cr_assert(http_send_text(slow, "GET /probe/ok HTT"));
    cr_assert(http_send_text(idle, "GET /probe/ok HTTP/1.1\r\n" HOST "\r\n") && http_read(idle, false, &reply));
    http_reply_free(&reply);
    http_call(server.port, "GET", "/probe/wait", NULL, NULL, &reply); /* 3 s */
    cr_assert_eq(reply.status, 504);
    http_reply_free(&reply);
    cr_assert(http_read(slow, false, &reply));
    cr_assert_eq(reply.status, 408);
    http_reply_free(&reply);
    cr_assert(http_read_end(slow) && http_read_end(idle) && http_read_end(silent));
    close(slow);
    close(idle);
    close(silent);
    stop();
}

Test(protocol, statuses_become_replies)
{
    static const struct {
        const char *target;
        unsigned status;
        const char *message;
    } cases[] = {{"/probe/status/error", 500, "Internal server error"},
                 {"/probe/status/nomem", 500, "Internal server error"},
                 {"/probe/status/timeout", 504, "The request took too long"},
                 {"/probe/status/busy", 503, "Service unavailable"},
                 {"/probe/status/positive", 500, "Internal server error"},
                 {"/probe/status/x", 500, "Internal server error"},
                 {"/probe/never", 500, "Internal server error"},
                 {"/probe/twice", 201, "second"},
                 {"/probe/bad-header", 500, "Internal server error"},
                 {"/nowhere?a=%20b", 404, "Route /nowhere?a=%20b not found"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;
        http_call(server.port, "GET", cases[i].target, NULL, NULL, &reply);
        cr_expect_eq(reply.status, cases[i].status, "%s: %u", cases[i].target, reply.status);
        json_t *body = http_json(&reply);
        cr_expect_str_eq(http_json_text(body, "message"), cases[i].message);
        json_decref(body);
        cr_expect_str_eq(http_header(&reply, "X-After"), "1");
        if (cases[i].status == 503)
            cr_expect_str_eq(http_header(&reply, "Retry-After"), "1");
        http_reply_free(&reply);
    }
    stop();
}

Test(protocol, problem_details)
{
    static const struct {
        const char *accept;
        bool problem;
    } cases[] = {{"application/problem+json", true},
                 {"application/json", false},
                 {"*/*", false},
                 {"application/json;q=0.5, application/problem+json", true},
                 {"application/json, application/problem+json;q=0.5", false},
                 {"application/problem+json;q=0", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char header[128];
        struct http_reply reply;
        snprintf(header, sizeof(header), "Accept: %s\r\n", cases[i].accept);
        http_call(server.port, "GET", "/nowhere", header, NULL, &reply);
        cr_expect_eq(strcmp(http_header(&reply, "Content-Type"), "application/problem+json") == 0, cases[i].problem,
                     "%s", cases[i].accept);
        json_t *body = http_json(&reply);
        if (cases[i].problem) {
            cr_expect_eq(http_json_integer(body, "status"), 404);
            cr_expect_str_eq(http_json_text(body, "type"), "about:blank");
            cr_expect_str_eq(http_json_text(body, "title"), "Not Found");
            cr_expect_str_eq(http_json_text(body, "detail"), "Route /nowhere not found");
        }
        json_decref(body);
        http_reply_free(&reply);
    }
    stop();
}

/* Neither a slow reader nor a fast writer of requests makes the server hold more than its bounds. */
Test(protocol, back_pressure)
{
    static const char request[] = "GET /probe/big/20000 HTTP/1.1\r\n" HOST "\r\n";
    int fd = http_connect(server.port), sent = 0;
    for (; sent < 20000; sent++) { /* 400 MB of replies asked for, none read */
        if (send(fd, request, sizeof(request) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(request) - 1)
            break;
    }
    struct http_reply other;
    http_call(server.port, "GET", "/probe/ok", NULL, NULL, &other);
    cr_assert_eq(other.status, 200);
    http_reply_free(&other);
    pid_t worker;
    char path[64], line[256];
    long resident = 0;
    cr_assert_eq(server_workers(&server, &worker, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)worker);
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof(line), file))
        sscanf(line, "VmRSS: %ld", &resident);
    fclose(file);
#ifndef BP_SANITIZE
    cr_assert_lt(resident, 64 * 1024, "%ld KiB resident", resident);
#endif
    for (int i = 0; i < 100; i++) {
        struct http_reply reply;
        cr_assert(http_read(fd, false, &reply));
        cr_assert_eq(reply.body_len, 20000);
        http_reply_free(&reply);
    }
    close(fd);
    stop();
}
