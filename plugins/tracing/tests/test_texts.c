/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

#include "gzip.h"
#include "pairs.h"
#include "redact.h"
#include "utf8.h"

Test(texts, utf8)
{
    static const struct {
        const char *text, *repaired;
        size_t valid;
    } cases[] = {{"", "", 0},
                 {"plain text of some length", "plain text of some length", 25},
                 {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9},
                 {"12345678\xff", "12345678\xef\xbf\xbd", 8},
                 {"\xc3", "\xef\xbf\xbd", 0},
                 {"\xc0\x80z", "\xef\xbf\xbd\xef\xbf\xbdz", 0},
                 {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0}, /* a surrogate */
                 {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0},
                 {"\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0},
                 {"a\x80"
                  "b",
                  "a\xef\xbf\xbd"
                  "b",
                  1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[128] = "";
        cr_expect_eq(utf8_valid(bp_str_of(cases[i].text)), cases[i].valid, "%zu", i);
        size_t len = utf8_repair(bp_str_of(cases[i].text), out);
        cr_expect(bp_str_is(bp_str_n(out, len), cases[i].repaired), "%zu: %s", i, out);
    }
}

Test(texts, redacted_queries)
{
    static const struct {
        const char *query, *redacted;
    } cases[] = {{"", ""},
                 {"page=2&limit=10", "page=2&limit=10"},
                 {"token=abc", "token=[redacted]"},
                 {"a=1&access_token=abc&b=2", "a=1&access_token=[redacted]&b=2"},
                 {"PassWord=p&api_key=k&", "PassWord=[redacted]&api_key=[redacted]&"},
                 {"to%6Ben=abc&%74oken=d", "to%6Ben=[redacted]&%74oken=[redacted]"},
                 {"token", "token"},
                 {"&&token=&=&", "&&token=[redacted]&=&"},
                 {"to%6=1&t%oken=2", "to%6=1&t%oken=2"},
                 {"q=token=1", "q=token=1"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str query = bp_str_of(cases[i].query);
        char *out = malloc(redact_room(query) + 1);
        size_t len = redact_query(query, out);
        cr_expect_leq(len, redact_room(query));
        cr_expect(bp_str_is(bp_str_n(out, len), cases[i].redacted), "%s: %.*s", cases[i].query, (int)len, out);
        free(out);
    }
}

Test(texts, pairs)
{
    static const struct {
        const char *text, *wrong; /* NULL: fine */
        size_t count;
        const char *names[3], *values[3];
    } cases[] = {{"", NULL, 0, {NULL}, {NULL}},
                 {"a=1", NULL, 1, {"a"}, {"1"}},
                 {" a = 1 , b=2,", NULL, 2, {"a", "b"}, {"1", "2"}},
                 {"a=1,b=2,a=3", NULL, 2, {"a", "b"}, {"3", "2"}},
                 {"a=x%20y%2C%3D,b=", NULL, 2, {"a", "b"}, {"x y,=", ""}},
                 {"k%65y=v=w", NULL, 1, {"key"}, {"v=w"}},
                 {",,", NULL, 0, {NULL}, {NULL}},
                 {"a=1,b", "b", 0, {NULL}, {NULL}},
                 {"=1", "=1", 0, {NULL}, {NULL}},
                 {"a=%2", "a=%2", 0, {NULL}, {NULL}},
                 {"a=%zz", "a=%zz", 0, {NULL}, {NULL}},
                 {"a=%00", "a=%00", 0, {NULL}, {NULL}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pairs pairs = {0};
        bp_str wrong = {NULL, 0};
        int status = pairs_parse(bp_str_of(cases[i].text), &pairs, &wrong);
        cr_assert_eq(status, cases[i].wrong ? PAIRS_MALFORMED : 0, "%s", cases[i].text);
        if (cases[i].wrong)
            cr_expect(bp_str_is(wrong, cases[i].wrong), "%s: %.*s", cases[i].text, BP_STR_ARG(wrong));
        cr_assert_eq(pairs.count, cases[i].count, "%s", cases[i].text);
        for (size_t p = 0; p < pairs.count; p++) {
            cr_expect_str_eq(pairs.items[p].name, cases[i].names[p]);
            cr_expect(bp_str_is(pairs.items[p].value, cases[i].values[p]), "%s", cases[i].text);
        }
        pairs_deinit(&pairs);
    }
}

Test(texts, gzip)
{
    char in[5000], out[5001];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = "http.request.method"[i % 19];
    struct gzip_job job = {.in = {in, sizeof(in)}};
    cr_assert_eq(gzip_run(&job), 0);
    cr_expect_lt(job.out.len, 200);
    z_stream stream = {.next_in = (Bytef *)job.out.ptr,
                       .avail_in = (uInt)job.out.len,
                       .next_out = (Bytef *)out,
                       .avail_out = sizeof(out)};
    cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    cr_expect_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    cr_expect_eq(stream.total_out, sizeof(in));
    cr_expect_eq(memcmp(in, out, sizeof(in)), 0);
    inflateEnd(&stream);
    bytes_deinit(&job.out);
}
