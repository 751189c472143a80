/* SPDX-License-Identifier: MIT */
/* Clients behind proxies: who is believed, and about what. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

/* The test's own connections come from 127.0.0.1. */
#define CONFIG(listen, server)                                                                                      \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; " listen " } ); data = \"${BACKPLANE_DATA}\"; " server \
    " };\n"                                                                                                         \
    "plugins: ( { use = \"health\"; }, { use = \"access_log\"; format = \"json\"; flush_interval = \"10ms\"; },\n"  \
    "           { use = \"security_headers\"; }, { use = \"rate_limit\"; quota = 2; window = \"1h\"; } );\n"        \
    "pipelines: { ops = ( \"access_log\" ); base = ( \"access_log\", \"security_headers\", \"rate_limit\" ); };\n"  \
    "routes: ( { match = \"/health/*\"; pipeline = \"ops\"; }, { match = \"/*\"; pipeline = \"base\"; } );\n"

#define HEADER_4 "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\x63\xcb\0\x71\x09\x30\x39\x1f\x90" /* from 192.0.2.99 */
#define HEADER_TRUSTED "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\xcb\0\x71\x09\x30\x39\x1f\x90"
#define HEADER_LOCAL "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
#define HEADER_UNKNOWN "\r\n\r\n\0\r\nQUIT\n\x21\0\0\0"
#define BYTES(text) text, sizeof(text) - 1

/* What X-RateLimit-Remaining says to a request with these fields: 1 to a client's first. */
static int remaining(const struct test_server *server, const char *headers, bool *ret_secure)
{
    struct http_reply reply;
    http_call(server->port, "GET", "/x", headers, NULL, &reply);
    const char *text = http_header(&reply, "X-RateLimit-Remaining");
    cr_assert(text, "%s", reply.head);
    int number = atoi(text);
    if (ret_secure)
        *ret_secure = http_header(&reply, "Strict-Transport-Security") != NULL;
    http_reply_free(&reply);
    return number;
}

Test(proxies, an_untrusted_peer_is_not_believed)
{
    static const char *const configs[] = {CONFIG("", ""), CONFIG("", "trusted_proxies = ( \"10.0.0.0/8\", \"::1\" );")};
    for (size_t i = 0; i < 2; i++) {
        struct test_server server;
        bool secure;
        server_start(&server, &(struct server_options){.config = configs[i]});
        cr_assert_eq(remaining(&server, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", &secure), 1);
        cr_assert_not(secure);
        cr_assert_eq(remaining(&server, "X-Forwarded-For: 192.0.2.2\r\n", NULL), 0, "it is one client");
        cr_assert_eq(remaining(&server, "Forwarded: for=192.0.2.3;proto=https\r\n", &secure), 0);
        cr_assert_not(secure);
        cr_assert(server_wait_output(&server, "\"client\":\"127.0.0.1\",\"http_version\""));
        char *output = server_output(&server);
        cr_assert_null(strstr(output, "192.0.2."));
        free(output);
        cr_assert_eq(server_stop(&server), 0);
    }
}

Test(proxies, a_trusted_one_names_the_client)
{
    struct test_server server;
    bool secure;
    server_start(&server, &(struct server_options){.config = CONFIG("", "trusted_proxies = ( \"${PROXIES}\" );"),
                                                   .environment =
                                                       (const char *const[]){"PROXIES=10.0.0.0/8, 127.0.0.0/8", NULL}});
    cr_assert_eq(remaining(&server, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", &secure), 1);
    cr_assert(secure, "HSTS by the proxy's word");
    cr_assert_eq(remaining(&server, "X-Forwarded-For: 192.0.2.2\r\nX-Forwarded-Proto: http\r\n", &secure), 1);
    cr_assert_not(secure);
    /* Whatever a client puts in front is not looked at. */
    cr_assert_eq(remaining(&server, "X-Forwarded-For: 192.0.2.77, 192.0.2.1, 10.1.1.1\r\n", NULL), 0);
    cr_assert_eq(remaining(&server, "X-Forwarded-For: 192.0.2.78\r\nX-Forwarded-For: 192.0.2.1\r\n", NULL), 0);
    cr_assert_eq(remaining(&server, "Forwarded: for=192.0.2.79\r\nX-Forwarded-For: 192.0.2.1\r\n", NULL), 0);
    cr_assert(server_wait_output(&server, "\"client\":\"192.0.2.1\",\"peer\":\"127.0.0.1\",\"http_version\""));
    /* Not believed: the proxy's own address is counted. */
    cr_assert_eq(remaining(&server, "X-Forwarded-For: nonsense\r\n", NULL), 1);
    cr_assert_eq(remaining(&server, "X-Forwarded-For: 192.0.2.80, nonsense\r\n", NULL), 0);
    cr_assert_eq(server_stop(&server), 0);
}

Test(proxies, the_standard_header)
{
    struct test_server server;
    bool secure;
    server_start(&server,
                 &(struct server_options){
                     .config = CONFIG("", "trusted_proxies = ( \"127.0.0.1\" ); proxy_header = \"forwarded\";")});
    cr_assert_eq(remaining(&server, "Forwarded: for=\"[2001:db8:0:1::1]:80\";proto=https\r\n", &secure), 1);
    cr_assert(secure);
    cr_assert_eq(remaining(&server, "Forwarded: for=\"[2001:db8:0:1::ffff]\"\r\nX-Forwarded-Proto: https\r\n", &secure),
                 0, "the same /64");
    cr_assert_not(secure);
    cr_assert_eq(remaining(&server, "Forwarded: for=\"[2001:db8:0:2::1]\"\r\n", NULL), 1);
    cr_assert_eq(server_stop(&server), 0);
}

/* The bytes on a connection of its own, and what comes back: free() it. */
static char *converse(const struct test_server *server, const char *header, size_t len, const char *request)
{
    size_t request_len = strlen(request), got;
    char *bytes = malloc(len + request_len);
    memcpy(bytes, header, len);
    memcpy(bytes + len, request, request_len);
    char *answer = http_raw(server->port, bytes, len + request_len, &got);
    free(bytes);
    return answer;
}

#define REQUEST "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

Test(proxies, the_proxy_protocol)
{
    struct test_server server;
    size_t len;
    /* A second listener without it, for server_start's own question. */
    static const char config[] =
        CONFIG("}, { address = \"unix:${BACKPLANE_DATA}/s\"; proxy_protocol = true; }, { address = "
               "\"127.0.0.1:${PROXIED}\"; proxy_protocol = true;",
               "trusted_proxies = ( \"127.0.0.1\" );");
    char variable[32];
    int proxied_port = service_free_port();
    (void)snprintf(variable, sizeof(variable), "PROXIED=%d", proxied_port);
    server_start(&server,
                 &(struct server_options){.config = config, .environment = (const char *const[]){variable, NULL}});
    struct test_server proxied = server;
    proxied.port = proxied_port;

    char *answer =
        converse(&proxied, BYTES(HEADER_4), "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n" REQUEST);
    cr_assert(strstr(answer, "X-RateLimit-Remaining: 1"), "%s", answer);
    cr_assert(strstr(answer, "X-RateLimit-Remaining: 0"), "the same client: %s", answer);
    free(answer);
    cr_assert(server_wait_output(&server, "\"client\":\"192.0.2.99\",\"http_version\""));

    /* The header's address is a proxy itself, which names somebody. */
    answer =
        converse(&proxied, BYTES(HEADER_TRUSTED), "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.98\r\n\r\n");
    cr_assert(strstr(answer, "X-RateLimit-Remaining: 1"), "%s", answer);
    free(answer);
    cr_assert(server_wait_output(&server, "\"client\":\"192.0.2.98\",\"peer\":\"127.0.0.1\""));

    /* The proxy's own question, and somebody whom it cannot name: that one is not believed. */
    answer = converse(&proxied, BYTES(HEADER_LOCAL), "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(strstr(answer, "HTTP/1.1 200"), "%s", answer);
    free(answer);
    answer =
        converse(&proxied, BYTES(HEADER_UNKNOWN), "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.97\r\n\r\n");
    cr_assert(strstr(answer, "X-RateLimit-Remaining: 1"), "%s", answer);
    free(answer);
    cr_assert(server_wait_output(&server, "\"client\":\"127.0.0.1\",\"http_version\""));

    /* A header in pieces. */
    int fd = http_connect(proxied.port);
    struct http_reply reply;
    for (size_t i = 0; i < sizeof(HEADER_4) - 1; i++)
        cr_assert(http_send(fd, &HEADER_4[i], 1));
    cr_assert(http_send_text(fd, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(http_read(fd, false, &reply));
    cr_assert_eq(reply.status, 200);
    http_reply_free(&reply);
    close(fd);

    static const struct {
        const char *bytes;
        size_t len;
    } hostile[] = {{BYTES(REQUEST)},
                   {BYTES("PROXY TCP4 192.0.2.1 203.0.113.9 1 2\r\n" REQUEST)},
                   {BYTES("\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c\xc0\0\2\x63\xcb\0\x71\x09\x30\x39\x1f\x90" REQUEST)},
                   {BYTES("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\0" REQUEST)},
                   {BYTES("\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff" REQUEST)},
                   {BYTES("\r\n\r\n\0\r\nQUIT\n\x21\x11")},
                   {BYTES("\x16\x03\x01\0\x01")}};
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        answer = http_raw(proxied.port, hostile[i].bytes, hostile[i].len, &len);
        cr_assert_eq(len, 0, "case %zu: %s", i, answer);
        free(answer);
    }
    cr_assert(server_wait_output(&server, "server.proxy_refused"));
    cr_assert_eq(server_stop(&server), 0);
}

Test(proxies, the_header_from_elsewhere)
{
    struct test_server server;
    size_t len;
    static const char config[] = CONFIG("}, { address = \"127.0.0.1:${PROXIED}\"; proxy_protocol = true;",
                                        "trusted_proxies = ( \"10.0.0.0/8\" );");
    char variable[32];
    int port = service_free_port();
    (void)snprintf(variable, sizeof(variable), "PROXIED=%d", port);
    server_start(&server,
                 &(struct server_options){.config = config, .environment = (const char *const[]){variable, NULL}});
    char *answer = http_raw(port, BYTES(HEADER_4 REQUEST), &len);
    cr_assert_eq(len, 0, "%s", answer);
    free(answer);
    cr_assert(server_wait_output(&server, "the peer is none of server.trusted_proxies"));
    cr_assert_eq(server_stop(&server), 0);
}

Test(proxies, what_is_wrong_is_said)
{
    char *output;
    cr_assert_eq(server_refuses(&(struct server_options){.config = CONFIG("proxy_protocol = true;",
                                                                          "trusted_proxies = ( \"10.0.0.1/8\", \"10/8, "
                                                                          "::1/129\" ); proxy_header = \"via\";")},
                                &output),
                 1);
    cr_assert(strstr(output,
                     "server.trusted_proxies[0]: \"10.0.0.1/8\" has bits set behind its prefix; write the first "
                     "address of the network"),
              "%s", output);
    cr_assert(strstr(output, "server.trusted_proxies[1]: \"10/8\" holds no IPv4 or IPv6 address"), "%s", output);
    cr_assert(strstr(output, "server.trusted_proxies[1]: \"::1/129\" needs a prefix length from 0 to 128"), "%s",
              output);
    cr_assert(strstr(output, "server.proxy_header: must be one of x-forwarded-for, forwarded"), "%s", output);
    cr_assert(strstr(output, "server.listen[0].proxy_protocol: needs server.trusted_proxies"), "%s", output);
    free(output);
}
