/* SPDX-License-Identifier: MIT */
/* Compressed replies of the shipped configuration, and of kept.c's. */
#include <brotli/decode.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

TestSuite(compress, .timeout = 60);

enum { ROOM = 1 << 20 };

/* The body as it was before; free() it. */
static char *decoded(const struct http_reply *reply)
{
    const char *coding = http_header(reply, "Content-Encoding");
    char *out = calloc(1, ROOM + 1);
    size_t len = ROOM;
    cr_assert(out);
    if (!coding) {
        memcpy(out, reply->body, reply->body_len);
    } else if (strcmp(coding, "br") == 0) {
        cr_assert_eq(BrotliDecoderDecompress(reply->body_len, (const uint8_t *)reply->body, &len, (uint8_t *)out),
                     BROTLI_DECODER_RESULT_SUCCESS);
    } else {
        z_stream stream = {.next_in = (Bytef *)reply->body,
                           .avail_in = (uInt)reply->body_len,
                           .next_out = (Bytef *)out,
                           .avail_out = ROOM};
        cr_assert_str_eq(coding, "gzip");
        cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
        cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
        inflateEnd(&stream);
    }
    return out;
}

static void call(int port, const char *method, const char *target, const char *token, const char *more,
                 const char *body, struct http_reply *reply)
{
    char headers[2048];
    snprintf(headers, sizeof(headers), "%s%s", token, more);
    http_call(port, method, target, headers, body, reply);
}

static bool equal(const char *value, const char *expected)
{
    return expected ? value && strcmp(value, expected) == 0 : value == NULL;
}

Test(compress, of_the_api)
{
    static const struct {
        const char *accept, *coding, *etag;
    } cases[] = {{"", NULL, "\"1\""},
                 {"Accept-Encoding: gzip\r\n", "gzip", "\"1-gzip\""},
                 {"Accept-Encoding: gzip, br\r\n", "br", "\"1-br\""},
                 {"Accept-Encoding: br;q=0.1, gzip\r\n", "gzip", "\"1-gzip\""},
                 {"Accept-Encoding: gzip;q=0, identity\r\n", NULL, "\"1\""}};
    struct test_server server;
    struct http_reply reply;
    char body[9100], own[96], *plain = NULL;
    server_start(&server, &(struct server_options){0});
    char *ada = http_login(server.port, "ada@example.com");
    memset(body, 'x', sizeof(body));
    memcpy(body, "{\"title\":\"Long\",\"description\":\"", 31);
    strcpy(body + 9000, "\"}");
    call(server.port, "POST", "/api/v1/todos", ada, "", body, &reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    json_t *created = http_json(&reply);
    snprintf(own, sizeof(own), "/api/v1/todos/%s", http_json_text(created, "data.id"));
    json_decref(created);
    http_reply_free(&reply);
    for (size_t round = 0; round < 2; round++) /* fresh and from the cache */
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            call(server.port, "GET", own, ada, cases[i].accept, NULL, &reply);
            cr_assert_eq(reply.status, 200);
            cr_expect(equal(http_header(&reply, "Content-Encoding"), cases[i].coding), "%zu", i);
            cr_expect(equal(http_header(&reply, "ETag"), cases[i].etag), "%zu: %s", i, http_header(&reply, "ETag"));
            cr_expect(strstr(reply.head, "Vary: Accept-Encoding\r\n"), "%s", reply.head);
            char *text = decoded(&reply);
            if (!plain)
                plain = strdup(text);
            cr_expect_str_eq(text, plain, "%zu", i);
            cr_expect(cases[i].coding ? reply.body_len < 1000 : reply.body_len > 9000, "%zu: %zu", i, reply.body_len);
            free(text);
            size_t len = reply.body_len;
            http_reply_free(&reply);
            /* HEAD says the same of it. */
            int fd = http_connect(server.port);
            char request[2048];
            snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: t\r\n%s%s\r\n", own, ada, cases[i].accept);
            cr_assert(http_send_text(fd, request) && http_read(fd, true, &reply));
            cr_expect_eq(strtoul(http_header(&reply, "Content-Length"), NULL, 10), len, "%zu", i);
            cr_expect(equal(http_header(&reply, "Content-Encoding"), cases[i].coding), "%zu", i);
            http_reply_free(&reply);
        }
    free(plain);
    static const struct {
        const char *fields, *etag;
        unsigned status;
    } conditions[] = {{"Accept-Encoding: gzip\r\nIf-None-Match: \"1-gzip\"\r\n", "\"1-gzip\"", 304},
                      {"If-None-Match: \"1-br\"\r\n", "\"1-br\"", 304},
                      {"Accept-Encoding: gzip\r\nIf-None-Match: \"1\"\r\n", "\"1\"", 304},
                      {"Accept-Encoding: gzip\r\nIf-None-Match: \"2-gzip\"\r\n", "\"1-gzip\"", 200}};
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        call(server.port, "GET", own, ada, conditions[i].fields, NULL, &reply);
        cr_expect_eq(reply.status, conditions[i].status, "%zu: %u", i, reply.status);
        cr_expect(equal(http_header(&reply, "ETag"), conditions[i].etag), "%zu: %s", i, http_header(&reply, "ETag"));
        cr_expect(strstr(reply.head, "Vary: Accept-Encoding\r\n"), "%s", reply.head);
        http_reply_free(&reply);
    }
    /* The tag of what was read may be written with. */
    call(server.port, "PATCH", own, ada, "If-Match: \"2-gzip\"\r\n", "{\"completed\":true}", &reply);
    cr_expect_eq(reply.status, 412);
    http_reply_free(&reply);
    call(server.port, "PATCH", own, ada, "If-Match: \"1-gzip\"\r\nAccept-Encoding: br\r\n", "{\"completed\":true}",
         &reply);
    cr_expect_eq(reply.status, 200);
    cr_expect(equal(http_header(&reply, "ETag"), "\"2-br\""), "%s", http_header(&reply, "ETag"));
    http_reply_free(&reply);
    /* Small replies, and those with tokens, as they are. */
    call(server.port, "GET", "/nowhere", "", "Accept-Encoding: gzip\r\n", NULL, &reply);
    cr_expect_null(http_header(&reply, "Content-Encoding"));
    http_reply_free(&reply);
    free(ada);
    cr_assert_eq(server_stop(&server), 0);
}

#define CONFIG(STAGE)                                                                                         \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n" \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                                           \
    "plugins: ( { use = \"health\"; }, { use = \"kept\"; }, { use = \"compress\"; } );\n"                     \
    "pipelines: { all = ( { use = \"compress\"; " STAGE " } ); };\n"                                          \
    "routes: ( { match = \"/*\"; pipeline = \"all\"; } );\n"

Test(compress, what_is_left_alone)
{
    static const struct {
        const char *config, *target, *coding;
    } cases[] = {{CONFIG(""), "/raw?mode=big", NULL}, /* not of the types */
                 {CONFIG("types = ( \"application/*\" );"), "/raw?mode=big", "gzip"},
                 {CONFIG("types = ( \"application/octet-stream\" ); offload = 0;"), "/raw?mode=big", "gzip"},
                 {CONFIG("types = ( \"application/*\" ); min_size = 5000;"), "/raw?mode=big", NULL},
                 {CONFIG("types = ( \"application/*\" ); max_size = 4000;"), "/raw?mode=big", NULL},
                 {CONFIG("types = ( \"application/*\" ); gzip = 0;"), "/raw?mode=big", NULL},
                 {CONFIG("min_size = 0;"), "/raw?mode=stream", NULL},
                 {CONFIG("min_size = 0;"), "/raw?mode=empty", NULL},
                 {CONFIG("min_size = 0;"), "/raw", NULL}, /* does not get smaller */
                 {CONFIG("min_size = 0; types = ( \"text/*\" );"), "/raw?mode=missing", NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_server server;
        struct http_reply reply;
        server_start(&server, &(struct server_options){.config = cases[i].config});
        http_call(server.port, "GET", cases[i].target, "Accept-Encoding: gzip\r\n", NULL, &reply);
        cr_expect(equal(http_header(&reply, "Content-Encoding"), cases[i].coding), "%zu: %s", i, reply.head);
        char *text = decoded(&reply);
        if (strstr(cases[i].target, "missing"))
            cr_expect(strstr(text, "kept.missing"), "%s", text);
        free(text);
        http_reply_free(&reply);
        cr_assert_eq(server_stop(&server), 0);
    }
}
