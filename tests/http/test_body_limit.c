/* SPDX-License-Identifier: MIT */
/* The stage body_limit, in front of the shipped resources. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define CONFIG                                                                                                         \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"          \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                                                    \
    "plugins: ( { use = \"health\"; }, { use = \"keyed\"; }, { use = \"body_limit\"; }, { use = \"idempotency\"; },\n" \
    "  { use = \"sqlite\"; name = \"main\"; } );\n"                                                                    \
    "pipelines: { all = ( { use = \"body_limit\"; max = 100; },\n"                                                     \
    "  { use = \"body_limit\"; as = \"named\"; max = 200; routes = ( \"/marks/{name}\" ); },\n"                        \
    "  { use = \"body_limit\"; as = \"put\"; max = 10; methods = ( \"PUT\" ); routes = ( \"/mar*\" ); },\n"            \
    "  \"idempotency\" ); };\n"                                                                                        \
    "routes: ( { match = \"/*\"; pipeline = \"all\"; } );\n"

/* keyed's handler reads no body: with a key, idempotency does. */
Test(body_limit, of_stages, .timeout = 60)
{
    static const struct {
        const char *method, *target;
        size_t len;
        bool chunked;
        unsigned status;
        const char *limit;
    } cases[] = {{"POST", "/marks", 100, false, 201, NULL},   {"POST", "/marks", 101, false, 413, "100"},
                 {"POST", "/marks", 100, true, 201, NULL},    {"POST", "/marks", 101, true, 413, "100"},
                 {"POST", "/marks/a", 200, false, 201, NULL}, {"POST", "/marks/a", 201, false, 413, "200"},
                 {"POST", "/marks/a", 201, true, 413, "200"}, {"PUT", "/marks", 10, false, 201, NULL},
                 {"PUT", "/marks", 11, false, 413, "10"},     {"PUT", "/marks", 11, true, 413, "10"}};
    struct test_server server;
    char body[256], request[1024], message[96];
    memset(body, 'x', sizeof(body));
    server_start(&server, &(struct server_options){.config = CONFIG});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;
        int fd = http_connect(server.port), len = (int)cases[i].len;
        if (cases[i].chunked)
            snprintf(request, sizeof(request),
                     "%s %s HTTP/1.1\r\nHost: t\r\nIdempotency-Key: k%zu\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n%x\r\n%.*s\r\n0\r\n\r\n",
                     cases[i].method, cases[i].target, i, (unsigned)len, len, body);
        else
            snprintf(request, sizeof(request),
                     "%s %s HTTP/1.1\r\nHost: t\r\nIdempotency-Key: k%zu\r\nContent-Length: %d\r\n\r\n%.*s",
                     cases[i].method, cases[i].target, i, len, len, body);
        cr_assert(http_send_text(fd, request) && http_read(fd, false, &reply), "%zu", i);
        cr_expect_eq(reply.status, cases[i].status, "%zu: %u %s", i, reply.status, reply.body);
        if (cases[i].limit) {
            snprintf(message, sizeof(message), "\"message\":\"Request body is larger than %s bytes\"", cases[i].limit);
            cr_expect(strstr(reply.body, message), "%zu: %s", i, reply.body);
        }
        http_reply_free(&reply);
    }
    /* Said in the head, it is refused before a byte of the body. */
    struct http_reply reply;
    int fd = http_connect(server.port);
    cr_assert(
        http_send_text(fd, "POST /marks HTTP/1.1\r\nHost: t\r\nIdempotency-Key: k\r\nContent-Length: 5000000\r\n\r\n"));
    cr_assert(http_read(fd, false, &reply));
    cr_expect_eq(reply.status, 413);
    cr_expect(reply.close);
    http_reply_free(&reply);
    cr_assert_eq(server_stop(&server), 0);
}
