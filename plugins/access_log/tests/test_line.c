/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

#include "line.h"
#include "slow.h"

static struct access_line sample(void)
{
    return (struct access_line){.time = 1795377302123,
                                .method = BP_STR("GET"),
                                .target = BP_STR("/api/v1/todos?page=2"),
                                .route = BP_STR("/api/v1/todos"),
                                .client = BP_STR("127.0.0.1"),
                                .request_id = BP_STR("r-1"),
                                .user_agent = BP_STR("curl/7.88.1"),
                                .version = BP_STR("1.1"),
                                .user_id = BP_STR("u-1"),
                                .status = 200,
                                .bytes = 2831,
                                .duration = 412 * BP_MICROSECOND};
}

static bp_str json(const struct access_line *line)
{
    static char text[ACCESS_LINE_MAX];
    return bp_str_n(text, access_line_json(line, text));
}

Test(line, json_is_exact)
{
    struct access_line line = sample();
    bp_str text = json(&line);
    static const char expected[] =
        "{\"time\":\"2026-11-22T19:55:02.123Z\",\"event\":\"http.access\",\"request_id\":\"r-1\",\"method\":\"GET\","
        "\"target\":\"/api/v1/todos?page=2\",\"route\":\"/api/v1/"
        "todos\",\"status\":200,\"duration_ms\":0.412,\"bytes\":2831,"
        "\"client\":\"127.0.0.1\",\"user_id\":\"u-1\",\"http_version\":\"1.1\",\"user_agent\":\"curl/7.88.1\"}\n";
    cr_expect(bp_str_is(text, expected), "%.*s", (int)text.len, text.ptr);
    line.trace_id = BP_STR("0af7651916cd43dd8448eb211c80319c");
    line.span_id = BP_STR("b7ad6b7169203331");
    text = json(&line);
    cr_expect(strstr(
        text.ptr,
        "\"request_id\":\"r-1\",\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"span_id\":\"b7ad6b7169203331\","
        "\"method\":\"GET\","));
    line.peer = BP_STR("10.0.0.7");
    text = json(&line);
    cr_expect(memmem(text.ptr, text.len, "\"client\":\"127.0.0.1\",\"peer\":\"10.0.0.7\",\"user_id\"", 48));
    line.aborted = true;
    line.duration = 12345678 * BP_MICROSECOND;
    line.user_id = line.route = BP_STR("");
    text = json(&line);
    cr_expect(memmem(text.ptr, text.len, "\"duration_ms\":12345.678,", 23));
    cr_expect(memmem(text.ptr, text.len, "\"aborted\":true}\n", 16));
    cr_expect_null(memmem(text.ptr, text.len, "user_id", 7));
}

/* Whatever a client sends, it is one line of JSON, and the client's bytes stay in their string. */
Test(line, every_byte_stays_in_its_place)
{
    for (int c = 0; c < 256; c++) {
        char hostile[16];
        struct access_line line = sample();
        size_t len = (size_t)snprintf(hostile, sizeof(hostile), "a%cb\",\"x\":1", c);
        line.user_agent = line.target = bp_str_n(hostile, c == 0 ? 11 : len);
        bp_str text = json(&line);
        cr_assert_eq(memchr(text.ptr, '\n', text.len), text.ptr + text.len - 1, "byte %d", c);
        json_t *root = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
        cr_assert(root, "byte %d: %.*s", c, (int)text.len, text.ptr);
        cr_expect_null(json_object_get(root, "x"), "byte %d", c);
        json_decref(root);
    }
}

/* Wherever it stands: texts are searched several bytes at a time. */
Test(line, every_byte_is_escaped_everywhere)
{
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 20; at++) {
            char agent[21] = "abcdefghijklmnopqrst", wanted[64];
            struct access_line line = sample();
            agent[at] = (char)c;
            line.user_agent = bp_str_n(agent, 20);
            const char *form = c == '"' || c == '\\' ? "\\%c" : c < 0x20 || c >= 0x7f ? "\\u%04x" : "%c";
            int len = snprintf(wanted, sizeof(wanted), "\"%.*s", (int)at, agent);
            len += snprintf(wanted + len, sizeof(wanted) - (size_t)len, form, c);
            len += snprintf(wanted + len, sizeof(wanted) - (size_t)len, "%s\"}\n", agent + at + 1);
            bp_str text = json(&line);
            cr_assert(text.len > (size_t)len && memcmp(text.ptr + text.len - len, wanted, (size_t)len) == 0,
                      "byte %d at %zu: %.*s", c, at, (int)text.len, text.ptr);
        }
}

Test(line, long_texts_are_cut_and_the_line_stays_whole)
{
    char *longest = malloc(100000);
    struct access_line line = sample();
    memset(longest, 1, 100000); /* each byte takes six when escaped */
    line.target = line.user_agent = line.route = line.request_id = bp_str_n(longest, 100000);
    bp_str text = json(&line);
    cr_expect_leq(text.len, ACCESS_LINE_MAX);
    cr_expect_eq(text.ptr[text.len - 1], '\n');
    /* Whatever comes behind has its room. */
    line.aborted = true;
    for (int otel = 0; otel < 2; otel++) {
        static struct slow_part parts[SLOW_PARTS];
        struct slow slow = {.count = SLOW_PARTS, .parts = parts};
        line.otel = otel;
        for (unsigned i = 0; i < SLOW_PARTS; i++)
            parts[i] = (struct slow_part){.next = i + 1 < SLOW_PARTS ? &parts[i + 1] : NULL,
                                          .name = "auth",
                                          .ended = 1,
                                          .query = bp_str_n(longest, SLOW_QUERY)};
        for (size_t i = 0; i < ACCESS_HEADERS; i++) {
            line.headers[i].name = BP_STR("x-long");
            line.headers[i].value = bp_str_n(longest, 8000);
        }
        line.header_count = ACCESS_HEADERS;
        for (size_t len = 0; len < 9000; len += 37) {
            line.target = bp_str_n(longest, len);
            line.slow = len % 2 ? &slow : NULL;
            text = json(&line);
            json_t *root = json_loadb(text.ptr, text.len, 0, NULL);
            cr_assert_not_null(root, "%zu bytes", len);
            cr_assert(json_is_true(json_object_get(root, otel ? "backplane.aborted" : "aborted")));
            json_decref(root);
        }
    }
    free(longest);
}

Test(line, secrets_in_queries_are_redacted)
{
    static const struct {
        const char *target, *written;
    } cases[] = {{"/a?token=abc", "/a?token=[redacted]"},
                 {"/a?x=1&access_token=abc&y=2", "/a?x=1&access_token=[redacted]&y=2"},
                 {"/a?PASSWORD=p&api_key=k", "/a?PASSWORD=[redacted]&api_key=[redacted]"},
                 {"/a?code=1&state=2", "/a?code=[redacted]&state=2"},
                 {"/a?to%6ben=abc", "/a?to%6ben=[redacted]"},
                 {"/a?token", "/a?token"},
                 {"/token=1?x=y", "/token=1?x=y"},
                 {"/a?", "/a?"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[128];
        struct access_line line = sample();
        line.target = bp_str_of(cases[i].target);
        snprintf(expected, sizeof(expected), "\"target\":\"%s\",", cases[i].written);
        bp_str text = json(&line);
        cr_expect(memmem(text.ptr, text.len, expected, strlen(expected)), "%.*s", (int)text.len, text.ptr);
    }
}

Test(line, text_is_for_people)
{
    char text[ACCESS_LINE_MAX];
    struct access_line line = sample();
    line.status = 503;
    line.target = BP_STR("/\033[2J");
    bp_str written = bp_str_n(text, access_line_text(&line, text));
    cr_expect(bp_str_is(written, "19:55:02.123 \033[31m503\033[0m GET /\\u001b[2J \033[2m0.412ms 2831B r-1\033[0m\n"),
              "%.*s", (int)written.len, written.ptr);
}

Test(line, names_of_opentelemetry)
{
    static const bp_str redact[] = {BP_STR_INIT("email"), BP_STR_INIT("x-tenant")};
    struct access_line line = sample();
    line.otel = true;
    line.target = BP_STR("/a/b?email=x@y&page=2&token=t");
    line.redact = redact;
    line.redact_count = 2;
    line.headers[0].name = BP_STR("referer");
    line.headers[0].value = BP_STR("http://evil/\r\n{\"x\":1}");
    line.headers[1].name = BP_STR("cookie");
    line.headers[1].value = BP_STR("session=1");
    line.headers[2].name = BP_STR("X-Tenant");
    line.headers[2].value = BP_STR("acme");
    line.headers[3].name = BP_STR("absent");
    line.header_count = 4;
    bp_str text = json(&line);
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(root, "%.*s", (int)text.len, text.ptr);
    cr_expect_eq(memchr(text.ptr, '\n', text.len), text.ptr + text.len - 1, "a line was broken");
    static const struct {
        const char *name, *value;
    } texts[] = {{"timestamp", "2026-11-22T19:55:02.123Z"},
                 {"event.name", "http.access"},
                 {"http.request.method", "GET"},
                 {"url.path", "/a/b"},
                 {"url.query", "email=[redacted]&page=2&token=[redacted]"},
                 {"http.request.header.referer", "http://evil/\r\n{\"x\":1}"},
                 {"http.request.header.cookie", "[redacted]"},
                 {"http.request.header.X-Tenant", "[redacted]"}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *value = json_string_value(json_object_get(root, texts[i].name));
        cr_expect(value && strcmp(value, texts[i].value) == 0, "%s: %s", texts[i].name, value ? value : "(none)");
    }
    cr_expect_null(json_object_get(root, "http.request.header.absent"));
    cr_expect_eq(json_integer_value(json_object_get(root, "http.response.status_code")), line.status);
    cr_expect_float_eq(json_real_value(json_object_get(root, "http.server.request.duration")), 0.000412, 1e-9);
    json_decref(root);
}

Test(line, what_a_slow_request_waited_for)
{
    struct access_line line = sample();
    struct slow_part select = {
        .name = "SELECT todos", .began = 2 * BP_SECOND, .depth = 2, .query = BP_STR("SELECT \"a\"\nFROM todos")};
    struct slow_part auth = {.next = &select,
                             .name = "auth",
                             .began = BP_SECOND + BP_MILLISECOND,
                             .ended = BP_SECOND + 3 * BP_MILLISECOND,
                             .depth = 1};
    struct slow slow = {.began = BP_SECOND, .count = 2, .lost = 3, .parts = &auth};
    line.slow = &slow;
    bp_str text = json(&line);
    const char *expected = ",\"parts\":[{\"name\":\"auth\",\"depth\":1,\"start_ms\":1.000,\"duration_ms\":2.000},"
                           "{\"name\":\"SELECT todos\",\"depth\":2,\"start_ms\":1000.000,"
                           "\"query\":\"SELECT \\\"a\\\"\\u000aFROM todos\"}],\"parts_lost\":3}\n";
    cr_expect(memmem(text.ptr, text.len, expected, strlen(expected)), "%.*s", (int)text.len, text.ptr);
    cr_expect(memmem(text.ptr, text.len, "\"event\":\"http.slow\"", 19), "%.*s", (int)text.len, text.ptr);
}
