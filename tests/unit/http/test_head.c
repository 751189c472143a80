/* SPDX-License-Identifier: MIT */
/* Heads that are accepted, and exactly what each says. */
#include "tests/unit/http/limits.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct accepted {
    const char *head; /* what follows it in rest is not part of it */
    const char *rest;
    const char *method_text;
    uint32_t method;
    const char *target, *path, *query, *authority; /* NULL authority: none */
    unsigned minor;
    enum parser_body body;
    uint64_t content_length;
    bool close, expect_continue, expect_unknown;
    const char *fields; /* "name=value;" for each */
};

static const struct accepted accepted[] = {
    {.head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "GET /api/v1/todos?page=2&limit=10 HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: curl/7.88.1\r\nAccept: "
             "*/*\r\n\r\n",
     .rest = "GET / HTTP/1.1\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/api/v1/todos?page=2&limit=10",
     .path = "/api/v1/todos",
     .query = "page=2&limit=10",
     .authority = "localhost:3000",
     .minor = 1,
     .fields = "Host=localhost:3000;User-Agent=curl/7.88.1;Accept=*/*;"},
    /* other methods; a method is compared with case */
    {.head = "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "HEAD",
     .method = BP_HEAD,
     .target = "/x",
     .path = "/x",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "PATCH /x HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "PATCH",
     .method = BP_PATCH,
     .target = "/x",
     .path = "/x",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "PUT /x HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "PUT",
     .method = BP_PUT,
     .target = "/x",
     .path = "/x",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "DELETE",
     .method = BP_DELETE,
     .target = "/x",
     .path = "/x",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "OPTIONS",
     .method = BP_OPTIONS,
     .target = "/x",
     .path = "/x",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "get /x HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "get",
     .method = 0,
     .target = "/x",
     .path = "/x",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "M-SEARCH! /x HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "M-SEARCH!",
     .method = 0,
     .target = "/x",
     .path = "/x",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    /* forms of the target */
    {.head = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "OPTIONS",
     .method = BP_OPTIONS,
     .target = "*",
     .path = "*",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "GET http://b:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "http://b:81/p?q",
     .path = "/p",
     .query = "q",
     .authority = "b:81",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "HTTPS://b",
     .path = "/",
     .query = "",
     .authority = "b",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "GET http://b?q=1 HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "http://b?q=1",
     .path = "/",
     .query = "q=1",
     .authority = "b",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n",
     .method_text = "CONNECT",
     .method = 0,
     .target = "b:443",
     .path = "",
     .query = "",
     .authority = "b:443",
     .minor = 1,
     .fields = "Host=b:443;"},
    {.head = "GET /a%20b/%2e?x[gte]=1&y={\"a\":\\}&z=/?|^` HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/a%20b/%2e?x[gte]=1&y={\"a\":\\}&z=/?|^`",
     .path = "/a%20b/%2e",
     .query = "x[gte]=1&y={\"a\":\\}&z=/?|^`",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "GET /? HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/?",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    /* hosts */
    {.head = "GET / HTTP/1.1\r\nHost: [::1]:3000\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "[::1]:3000",
     .minor = 1,
     .fields = "Host=[::1]:3000;"},
    {.head = "GET / HTTP/1.1\r\nHost: [2001:db8::192.0.2.1]\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "[2001:db8::192.0.2.1]",
     .minor = 1,
     .fields = "Host=[2001:db8::192.0.2.1];"},
    {.head = "GET / HTTP/1.1\r\nHost: x_y.%7Ea-b.example:\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "x_y.%7Ea-b.example:",
     .minor = 1,
     .fields = "Host=x_y.%7Ea-b.example:;"},
    /* versions and persistence */
    {.head = "GET / HTTP/1.0\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .minor = 0,
     .close = true,
     .fields = ""},
    {.head = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .minor = 0,
     .fields = "Connection=Keep-Alive;"},
    {.head = "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: x, close\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .minor = 0,
     .close = true,
     .fields = "Connection=keep-alive;Connection=x, close;"},
    {.head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: ,\tCLOSE ,\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .close = true,
     .fields = "Host=a;Connection=,\tCLOSE ,;"},
    {.head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;Connection=closed;"},
    {.head = "GET / HTTP/1.7\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    /* bodies */
    {.head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
     .rest = "hello",
     .method_text = "POST",
     .method = BP_POST,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .body = PARSER_LENGTH,
     .content_length = 5,
     .fields = "Host=a;Content-Length=5;"},
    {.head = "POST / HTTP/1.1\r\nHost: a\r\ncontent-length:005\r\nCONTENT-LENGTH: 5\r\n\r\n",
     .method_text = "POST",
     .method = BP_POST,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .body = PARSER_LENGTH,
     .content_length = 5,
     .fields = "Host=a;content-length=005;CONTENT-LENGTH=5;"},
    {.head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n",
     .method_text = "POST",
     .method = BP_POST,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .body = PARSER_LENGTH,
     .content_length = UINT64_MAX,
     .fields = "Host=a;Content-Length=18446744073709551615;"},
    {.head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
     .method_text = "POST",
     .method = BP_POST,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;Content-Length=0;"},
    {.head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
     .rest = "0\r\n\r\n",
     .method_text = "POST",
     .method = BP_POST,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .body = PARSER_CHUNKED,
     .fields = "Host=a;Transfer-Encoding=Chunked;"},
    /* expectations */
    {.head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
     .method_text = "POST",
     .method = BP_POST,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .body = PARSER_LENGTH,
     .content_length = 1,
     .expect_continue = true,
     .fields = "Host=a;Expect=100-Continue;Content-Length=1;"},
    {.head = "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
     .method_text = "POST",
     .method = BP_POST,
     .target = "/",
     .path = "/",
     .query = "",
     .minor = 0,
     .close = true,
     .body = PARSER_LENGTH,
     .content_length = 1,
     .fields = "Expect=100-continue;Content-Length=1;"},
    {.head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, teapot=1\r\n\r\n",
     .method_text = "POST",
     .method = BP_POST,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .expect_continue = true,
     .expect_unknown = true,
     .fields = "Host=a;Expect=100-continue, teapot=1;"},
    /* empty lines first; white space around values; empty values; every byte that a value may hold */
    {.head = "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;"},
    {.head = "GET / HTTP/1.1\r\nHost: \t a\t \r\nA:\r\nB:  \t \r\nC: x \t y\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;A=;B=;C=x \t y;"},
    {.head = "GET / HTTP/1.1\r\nHost: a\r\nX: "
             "\x80\xff~!\t\"(),/:;<=>?@[\\]{}0123456789abcdefghijklmnopqrstuvwxyz\tABC\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "Host=a;X=\x80\xff~!\t\"(),/:;<=>?@[\\]{}0123456789abcdefghijklmnopqrstuvwxyz\tABC;"},
    {.head = "GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09AZaz: v\r\nHost: a\r\n\r\n",
     .method_text = "GET",
     .method = BP_GET,
     .target = "/",
     .path = "/",
     .query = "",
     .authority = "a",
     .minor = 1,
     .fields = "!#$%&'*+-.^_`|~09AZaz=v;Host=a;"},
};

#define ACCEPTED (sizeof accepted / sizeof *accepted)

static void expect_str(bp_str got, const char *want, const char *what, const char *head)
{
    cr_expect(bp_str_is(got, want), "%s: \"%" BP_STR_FMT "\", not \"%s\", in:\n%s", what, BP_STR_ARG(got), want, head);
}

static void expect_fields(const struct parser_head *got, const struct accepted *want)
{
    char text[1024];
    size_t len = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < got->field_count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%" BP_STR_FMT "=%" BP_STR_FMT ";",
                                BP_STR_ARG(got->fields[i].name), BP_STR_ARG(got->fields[i].value));
    cr_expect_str_eq(text, want->fields, "fields: \"%s\", not \"%s\"", text, want->fields);
}

static void expect_head(const struct parser_head *got, const struct accepted *want)
{
    expect_str(got->method_text, want->method_text, "method", want->head);
    cr_expect_eq(got->method, want->method, "method: %u in %s", got->method, want->head);
    expect_str(got->target, want->target, "target", want->head);
    expect_str(got->path, want->path, "path", want->head);
    expect_str(got->query, want->query, "query", want->head);
    if (want->authority)
        expect_str(got->authority, want->authority, "authority", want->head);
    else
        cr_expect_null(got->authority.ptr, "authority in %s", want->head);
    cr_expect_eq(got->minor, want->minor, "minor: %u in %s", got->minor, want->head);
    cr_expect_eq(got->body, want->body, "body: %d in %s", (int)got->body, want->head);
    cr_expect_eq(got->content_length, want->content_length, "length in %s", want->head);
    cr_expect_eq(got->keep_alive, !want->close, "keep_alive in %s", want->head);
    cr_expect_eq(got->expect_continue, want->expect_continue, "expect_continue in %s", want->head);
    cr_expect_eq(got->expect_unknown, want->expect_unknown, "expect_unknown in %s", want->head);
    expect_fields(got, want);
}

Test(head, accepted_at_once)
{
    for (size_t i = 0; i < ACCEPTED; i++) {
        const struct accepted *want = &accepted[i];
        size_t head_len = strlen(want->head), rest_len = want->rest ? strlen(want->rest) : 0;
        char joined[1024];
        memcpy(joined, want->head, head_len);
        memcpy(joined + head_len, want->rest ? want->rest : "", rest_len);
        char *bytes = exact_copy(joined, head_len + rest_len);
        struct parser_state state = {0};
        struct parser_head head;
        const char *reason = "none";
        memset(&head, 0xa5, sizeof head);
        long used = parser_head(&state, bytes, head_len + rest_len, &default_limits, &head, &reason);
        cr_assert_eq(used, (long)head_len, "%ld (%s) for %s", used, reason, want->head);
        expect_head(&head, want);
        free(bytes);
    }
}

/* Fresh or with the state of all shorter ones, a prefix is incomplete; then the whole says the same as at once, wherever the buffer is. */
Test(head, accepted_byte_by_byte)
{
    for (size_t i = 0; i < ACCEPTED; i++) {
        const struct accepted *want = &accepted[i];
        size_t len = strlen(want->head);
        struct parser_state state = {0};
        struct parser_head head;
        const char *reason = "none";
        memset(&head, 0xa5, sizeof head);
        for (size_t prefix = 0; prefix < len; prefix++) {
            struct parser_state fresh = {0};
            char *bytes = exact_copy(want->head, prefix);
            long alone = parser_head(&fresh, bytes, prefix, &default_limits, &head, &reason);
            cr_assert_eq(alone, 0, "%ld (%s) for the first %zu bytes of %s", alone, reason, prefix, want->head);
            long grown = parser_head(&state, bytes, prefix, &default_limits, &head, &reason);
            cr_assert_eq(grown, 0, "%ld (%s) at byte %zu of %s", grown, reason, prefix, want->head);
            free(bytes);
        }
        char *bytes = exact_copy(want->head, len);
        long used = parser_head(&state, bytes, len, &default_limits, &head, &reason);
        cr_assert_eq(used, (long)len, "%ld (%s) for %s", used, reason, want->head);
        expect_head(&head, want);
        free(bytes);
    }
}
