/* SPDX-License-Identifier: MIT */
/* Heads that are refused, and why; and the limits, at them and one beyond. */
#include "tests/unit/http/limits.h"

#include <criterion/criterion.h>

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

static const struct refused {
    const char *head;
    long status;
    const char *reason;
} refused[] = {
    /* before the request line */
    {"\r\n\r\n\r\n\r\n\r\n" LINE HOST "\r\n", -400, "too many empty lines before the request line"},
    {"\n" LINE HOST "\r\n", -400, "bare LF"},
    {"\r" LINE HOST "\r\n", -400, "bare CR"},
    {" " LINE HOST "\r\n", -400, "malformed request line"},
    {"\x16\x03\x01\x02", -400, "malformed request line"},
    /* request line */
    {"GET\r\n\r\n", -400, "malformed request line"},
    {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", -400, "malformed request line"},
    {"GE(T / HTTP/1.1\r\n" HOST "\r\n", -400, "malformed request line"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" HOST "\r\n", -501, "method too long"},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", -400, "doubled space in the request line"},
    {"GET /  HTTP/1.1\r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"GET / x HTTP/1.1\r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"GET /\r\n\r\n", -400, "request line without a version"},
    {"GET /\n\n", -400, "request line without a version"},
    {"GET \r\n\r\n", -400, "request line without a version"},
    {"GET /\tHTTP/1.1\r\n" HOST "\r\n", -400, "invalid character in the request target"},
    {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", -400, "invalid character in the request target"},
    {"GET /\x7f HTTP/1.1\r\n" HOST "\r\n", -400, "invalid character in the request target"},
    {"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", -400, "invalid character in the request target"},
    {"GET /a\\b HTTP/1.1\r\n" HOST "\r\n", -400, "invalid character in the request target"},
    {"GET /<a> HTTP/1.1\r\n" HOST "\r\n", -400, "invalid character in the request target"},
    {"GET /#f HTTP/1.1\r\n" HOST "\r\n", -400, "fragment in the request target"},
    {"GET /?q#f HTTP/1.1\r\n" HOST "\r\n", -400, "fragment in the request target"},
    {"GET http://b#f HTTP/1.1\r\n" HOST "\r\n", -400, "fragment in the request target"},
    {"GET x HTTP/1.1\r\n" HOST "\r\n", -400, "malformed request target"},
    {"GET ?x HTTP/1.1\r\n" HOST "\r\n", -400, "malformed request target"},
    {"GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", -400, "malformed request target"},
    {"GET a:80 HTTP/1.1\r\n" HOST "\r\n", -400, "malformed request target"},
    {"CONNECT / HTTP/1.1/\r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"CONNECT a:b HTTP/1.1\r\n" HOST "\r\n", -400, "malformed request target"},
    {"GET * HTTP/1.1\r\n" HOST "\r\n", -400, "request target \"*\" is for OPTIONS only"},
    {"OPTIONS *x HTTP/1.1\r\n" HOST "\r\n", -400, "malformed request target"},
    {"GET http:// HTTP/1.1\r\n" HOST "\r\n", -400, "malformed authority in the request target"},
    {"GET http:///x HTTP/1.1\r\n" HOST "\r\n", -400, "malformed authority in the request target"},
    {"GET http://u:p@b/ HTTP/1.1\r\n" HOST "\r\n", -400, "malformed authority in the request target"},
    /* versions */
    {"GET / HTTP/2.0\r\n" HOST "\r\n", -505, "unsupported HTTP version"},
    {"GET / HTTP/0.9\r\n\r\n", -505, "unsupported HTTP version"},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", -505, "unsupported HTTP version"},
    {"GET / HTTP/1.10\r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"GET / HTTP/11\r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"GET / HTTP/1.\r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"GET / HTTP/1.x\r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"GET / http/1.1\r\n" HOST "\r\n", -400, "malformed HTTP version"},
    {"GET / X\r\n\r\n", -400, "malformed HTTP version"},
    {"GET / HTTP/1.1\n" HOST "\r\n", -400, "bare LF"},
    {"GET / HTTP/1.1\r" HOST "\r\n", -400, "bare CR"},
    {"GET / HTTP/1.1\r\r\n" HOST "\r\n", -400, "bare CR"},
    /* field lines */
    {LINE " Host: a\r\n\r\n", -400, "folded field line"},
    {LINE HOST "A: b\r\n c\r\n\r\n", -400, "folded field line"},
    {LINE HOST "A: b\r\n\tc\r\n\r\n", -400, "folded field line"},
    {LINE "Host : a\r\n\r\n", -400, "space before the colon of a field"},
    {LINE HOST "A\t: a\r\n\r\n", -400, "space before the colon of a field"},
    {LINE HOST ": a\r\n\r\n", -400, "malformed field name"},
    {LINE HOST "A\r\n\r\n", -400, "malformed field name"},
    {LINE HOST "A(: b\r\n\r\n", -400, "malformed field name"},
    {LINE HOST "\x80: b\r\n\r\n", -400, "malformed field name"},
    {LINE HOST "A: b\n\r\n", -400, "bare LF"},
    {LINE HOST "A: b\nC: d\r\n\r\n", -400, "bare LF"},
    {LINE HOST "A: b\rC: d\r\n\r\n", -400, "bare CR"},
    {LINE HOST "A: b\r\r\n\r\n", -400, "bare CR"},
    {LINE HOST "\n", -400, "bare LF"},
    {LINE HOST "\rX", -400, "bare CR"},
    {LINE HOST "A: b\x01\r\n\r\n", -400, "control character"},
    {LINE HOST "A: b\x7f\r\n\r\n", -400, "control character"},
    {LINE HOST "A: 0123456789abcdef\x0b\r\n\r\n", -400, "control character"},
    {LINE HOST "A: \t0123456789abcdefghijklmnopqr\x1f"
               "0123456789abcdef\r\n\r\n",
     -400, "control character"},
    /* Host */
    {LINE "\r\n", -400, "no Host"},
    {LINE "Hos: a\r\n\r\n", -400, "no Host"},
    {LINE HOST HOST "\r\n", -400, "more than one Host"},
    {"GET / HTTP/1.0\r\n" HOST "hOST: b\r\n\r\n", -400, "more than one Host"},
    {"GET http://b/ HTTP/1.1\r\n\r\n", -400, "no Host"},
    {LINE "Host:\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: a b\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: a/b\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: u@a\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: a:b\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: a:65536\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: a:1:2\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: :80\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: a%2\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: a%zz\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: [::1\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: [::1]x\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: [::g]\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: ::1\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: []\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: [0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]\r\n\r\n", -400, "malformed Host"},
    {LINE "Host: a\xc3\xa9\r\n\r\n", -400, "malformed Host"},
    /* framing */
    {LINE HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", -400,
     "both Content-Length and Transfer-Encoding"},
    {LINE HOST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", -400,
     "both Content-Length and Transfer-Encoding"},
    {LINE HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", -400, "differing Content-Length"},
    {LINE HOST "Content-Length: 0\r\nContent-Length: 6\r\n\r\n", -400, "differing Content-Length"},
    {LINE HOST "Content-Length: 5, 5\r\n\r\n", -400, "malformed Content-Length"},
    {LINE HOST "Content-Length:\r\n\r\n", -400, "malformed Content-Length"},
    {LINE HOST "Content-Length: +5\r\n\r\n", -400, "malformed Content-Length"},
    {LINE HOST "Content-Length: -5\r\n\r\n", -400, "malformed Content-Length"},
    {LINE HOST "Content-Length: 5 5\r\n\r\n", -400, "malformed Content-Length"},
    {LINE HOST "Content-Length: 0x5\r\n\r\n", -400, "malformed Content-Length"},
    {LINE HOST "Content-Length: 18446744073709551616\r\n\r\n", -400, "malformed Content-Length"},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", -400, "Transfer-Encoding in HTTP/1.0"},
    {LINE HOST "Transfer-Encoding: gzip\r\n\r\n", -400, "unsupported Transfer-Encoding"},
    {LINE HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", -400, "unsupported Transfer-Encoding"},
    {LINE HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", -400, "unsupported Transfer-Encoding"},
    {LINE HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", -400,
     "unsupported Transfer-Encoding"},
    {LINE HOST "Transfer-Encoding: chunked;x\r\n\r\n", -400, "unsupported Transfer-Encoding"},
    {LINE HOST "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n",
     -400, "control character"},
    {LINE HOST "Transfer-Encoding:\r\n\r\n", -400, "unsupported Transfer-Encoding"},
    {LINE HOST "Transfer-Encoding: identity\r\n\r\n", -400, "unsupported Transfer-Encoding"},
};

static void expect_refused(const char *bytes, size_t len, const struct parser_limits *limits, long status,
                           const char *want)
{
    char *copy = exact_copy(bytes, len);
    struct parser_state state = {0}, grown = {0};
    struct parser_head head;
    const char *reason = "none";
    long got = parser_head(&state, copy, len, limits, &head, &reason);
    cr_expect(got == status && strcmp(reason, want) == 0, "%ld (%s), not %ld (%s), for:\n%.200s", got, reason, status,
              want, bytes);
    free(copy);
    /* The same however it arrives, at the latest when it has doubled; never accepted on the way. */
    copy = malloc(2 * len);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, len);
    memset(copy + len, '~', len);
    got = 0;
    for (size_t prefix = 1; prefix <= 2 * len && got == 0; prefix++)
        got = parser_head(&grown, copy, prefix, limits, &head, &reason);
    cr_expect(got == status && strcmp(reason, want) == 0, "by bytes: %ld (%s), not %ld (%s), for:\n%.200s", got, reason,
              status, want, bytes);
    free(copy);
}

Test(head, refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        expect_refused(refused[i].head, strlen(refused[i].head), &default_limits, refused[i].status, refused[i].reason);
}

Test(head, refuses_every_control_character)
{
    for (int c = 0; c <= 0x20; c++) {
        char bytes[] = LINE HOST "Abc: 0123456789?123456789\r\n\r\n";
        char name[] = LINE HOST "A?c: 0\r\n\r\n";
        if (c != '\t' && c != '\r' && c != '\n' && c != ' ') {
            *strchr(bytes, '?') = (char)c;
            expect_refused(bytes, sizeof bytes - 1, &default_limits, -400, "control character");
            *strchr(name, '?') = (char)c;
            expect_refused(name, sizeof name - 1, &default_limits, -400, "malformed field name");
        }
    }
}

/* What is wrong is said before the head is complete: at once in what came first, and at the latest when the head has doubled. */
Test(head, refuses_before_the_end)
{
    static const char line[] = "GET / HTTP/2.0\r\nHost: a\r\n";
    struct parser_state state = {0};
    struct parser_head head;
    const char *reason = NULL;
    cr_expect_eq(parser_head(&state, line, sizeof line - 1, &default_limits, &head, &reason), -505);
    state = (struct parser_state){0};
    cr_expect_eq(parser_head(&state, line, 10, &default_limits, &head, &reason), 0);
    cr_expect_eq(parser_head(&state, line, 19, &default_limits, &head, &reason), 0);
    cr_expect_eq(parser_head(&state, line, 20, &default_limits, &head, &reason), -505);
    state = (struct parser_state){0};
    static const char bare[] = "GET / HTTP/1.1\r\nHost: a\r\nA: b\n";
    cr_expect_eq(parser_head(&state, bare, 29, &default_limits, &head, &reason), 0);
    cr_expect_eq(parser_head(&state, bare, 30, &default_limits, &head, &reason), -400);
    cr_expect_str_eq(reason, "bare LF");
}

static const struct parser_limits small = {.target = 8, .field = 16, .head = 80, .fields = 3, .trailer = 16};

static const struct limit {
    const char *head;
    long status; /* 0: not refused */
    const char *reason;
} limits[] = {
    {"GET /2345678? HTTP/1.1\r\n" HOST "\r\n", -414, "request target too long"},
    {"GET /234567? HTTP/1.1\r\n" HOST "\r\n", 0, NULL},
    {"GET /2345678", 0, NULL},
    {"GET /23456789", -414, "request target too long"},
    {LINE HOST "Abcd: 7890123456\r\n\r\n", 0, NULL},
    {LINE HOST "Abcd: 78901234567\r\n\r\n", -431, "field line too long"},
    {LINE HOST "Abcd: 789012345 \t\r\n\r\n", -431, "field line too long"},
    {LINE HOST "Abcdefghijklmnop:\r\n\r\n", -431, "field line too long"},
    {LINE HOST "Abcdefghijklmno:\r\n\r\n", 0, NULL},
    {LINE HOST "Abcdefghijklmnopqrstuvw", -431, "field line too long"},
    {LINE HOST "A:               \r\n\r\n", -431, "field line too long"},
    {LINE HOST "A: 1\r\nB: 2\r\n\r\n", 0, NULL},
    {LINE HOST "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", -431, "too many field lines"},
};

Test(head, limits)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const struct limit *limit = &limits[i];
        struct parser_state state = {0};
        struct parser_head head;
        const char *reason = "none";
        size_t len = strlen(limit->head);
        if (limit->status < 0)
            expect_refused(limit->head, len, &small, limit->status, limit->reason);
        else
            cr_expect_geq(parser_head(&state, limit->head, len, &small, &head, &reason), 0, "%s: %s", reason,
                          limit->head);
    }
}

Test(head, limit_of_the_whole)
{
    static const char exact[] = "GET / HTTP/1.1\r\n" HOST "A: 4567890123456\r\nB: 4567890123456\r\n\r\n";
    struct parser_limits tight = small;
    struct parser_state state = {0};
    struct parser_head head;
    const char *reason = NULL;
    tight.head = sizeof exact - 1;
    cr_expect_eq(parser_head(&state, exact, sizeof exact - 1, &tight, &head, &reason), (long)sizeof exact - 1);
    state = (struct parser_state){0};
    cr_expect_eq(parser_head(&state, exact, sizeof exact - 2, &tight, &head, &reason), 0);
    tight.head--;
    expect_refused(exact, sizeof exact - 1, &tight, -431, "head too long");
}

/* What follows a head, pipelined, never counts towards its limits. */
Test(head, limits_end_with_the_head)
{
    char bytes[1024] = LINE HOST "\r\n";
    size_t len = strlen(bytes);
    memset(bytes + len, 'x', sizeof bytes - len);
    struct parser_state state = {0};
    struct parser_head head;
    const char *reason = NULL;
    cr_expect_eq(parser_head(&state, bytes, sizeof bytes, &small, &head, &reason), (long)len);
}
