/* SPDX-License-Identifier: MIT */
/* Structs as JSON: exact bytes. */
#include "core/schema/escape.h"
#include "core/schema/number.h"
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct todo {
    bp_uuid id;
    bp_str title;
    bool completed;
    bp_uuid user_id;
    bp_date created_at, updated_at;
};
static const struct bp_field todo_rows[] = {BP_UUID(struct todo, id),
                                            BP_TEXT(struct todo, title),
                                            BP_BOOL(struct todo, completed),
                                            BP_UUID(struct todo, user_id),
                                            BP_DATE(struct todo, created_at),
                                            BP_DATE(struct todo, updated_at),
                                            BP_END};

Test(encode, todo)
{
    struct todo todo = {
        .id = {{0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57}},
        .title = BP_STR("Buy \"milk\""),
        .completed = true,
        .user_id = {{0xff, 0, 0x10}},
        .created_at = 0,
        .updated_at = 1767225599999};
    cr_expect_str_eq(
        encoded(todo_rows, &todo),
        "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"title\":\"Buy \\\"milk\\\"\",\"completed\":true,"
        "\"userId\":\"ff001000-0000-0000-0000-000000000000\",\"createdAt\":\"1970-01-01T00:00:00.000Z\","
        "\"updatedAt\":\"2025-12-31T23:59:59.999Z\"}");
}

Test(encode, presence_and_null)
{
    struct scalars s = {
        .count = 7, .color = 1, .span = 90 * BP_SECOND, .size = UINT64_MAX, .offset = INT64_MIN, .ratio = 0.1};
    cr_expect_str_eq(encoded(scalars, &s), "{}");
    s.set = 1u << 1 | 1u << 5;
    cr_expect_str_eq(encoded(scalars, &s), "{\"count\":7,\"color\":\"green\"}");
    s.null = 1u << 1;
    cr_expect_str_eq(encoded(scalars, &s), "{\"count\":null,\"color\":\"green\"}");
    s.set = UINT64_MAX;
    cr_expect_str_eq(encoded(scalars, &s),
                     "{\"flag\":false,\"count\":null,\"offset\":-9223372036854775808,\"ratio\":0.1,\"text\":null,"
                     "\"color\":\"green\","
                     "\"span\":\"90s\",\"size\":18446744073709551615,\"id\":\"00000000-0000-0000-0000-000000000000\","
                     "\"dueAt\":\"1970-01-01T00:00:00.000Z\"}");
    s.set = 1u << 3 | 1u << 5 | 1u << 9;
    s.ratio = NAN;
    s.color = 3;
    s.due_at = INT64_MAX;
    cr_expect_str_eq(encoded(scalars, &s), "{\"ratio\":null,\"color\":null,\"dueAt\":null}");
}

Test(encode, appends)
{
    struct todo_body body = {.set = 2};
    struct buffer out = {0};
    buffer_add(&out, BP_STR("x"));
    schema_encode_json(todo_body, &body, &out);
    schema_encode_text(BP_STR("y"), &out);
    cr_expect(bp_str_is(buffer_str(&out), "x{\"completed\":false}\"y\""));
    buffer_deinit(&out);
}

static void expect_text(bp_str text, bp_str json)
{
    struct buffer out = {0};
    schema_encode_text(text, &out);
    cr_expect(bp_str_eq(buffer_str(&out), json), "%.*s becomes %.*s", (int)text.len, text.ptr, (int)out.len, out.ptr);
    buffer_deinit(&out);
}

Test(encode, escapes)
{
    static const struct {
        bp_str text, json;
    } cases[] = {
        {{NULL, 0}, BP_STR_INIT("\"\"")},
        {BP_STR_INIT("\"\\/"), BP_STR_INIT("\"\\\"\\\\/\"")},
        {BP_STR_INIT("\b\f\n\r\t"), BP_STR_INIT("\"\\b\\f\\n\\r\\t\"")},
        {BP_STR_INIT("\0\x01\x0b\x1f\x7f"), BP_STR_INIT("\"\\u0000\\u0001\\u000b\\u001f\x7f\"")},
        {BP_STR_INIT("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80"), BP_STR_INIT("\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\"")},
        {BP_STR_INIT("a\xff\xc0\xaf"), BP_STR_INIT("\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")},
        {BP_STR_INIT("\xe4\xb8"), BP_STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\"")},
        {BP_STR_INIT("\xed\xa0\x80"), BP_STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")},
        {BP_STR_INIT("\xf4\x8f\xbf\xbf"), BP_STR_INIT("\"\xf4\x8f\xbf\xbf\"")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_text(cases[i].text, cases[i].json);
}

/* Every special byte at every place of texts around the widths of the fast ways. */
Test(encode, special_bytes_anywhere)
{
    for (size_t len = 1; len <= 40; len++) {
        for (size_t at = 0; at < len; at++) {
            char text[40], json[48];
            memset(text, 'a', sizeof(text));
            memset(json, 'a', sizeof(json));
            text[at] = '"';
            json[0] = json[len + 2] = '"';
            memcpy(json + 1 + at, "\\\"", 2);
            expect_text(bp_str_n(text, len), bp_str_n(json, len + 3));
            text[at] = (char)('!' + at); /* a neighbour of the quote, and other plain bytes */
            if (text[at] == '"')
                continue;
            json[1 + at] = text[at];
            json[2 + at] = 'a';
            json[len + 1] = '"';
            expect_text(bp_str_n(text, len), bp_str_n(json, len + 2));
        }
    }
}

Test(encode, every_byte)
{
    for (unsigned c = 0; c < 256; c++) {
        char text[20], *end;
        struct buffer out = {0};
        memset(text, '#', sizeof(text));
        text[11] = (char)c;
        schema_encode_text(bp_str_n(text, sizeof(text)), &out);
        bool escaped = c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
        cr_expect_eq(out.len == sizeof(text) + 2, !escaped, "byte %u", c);
        buffer_add_char(&out, '\0');
        if (c < 0x20 && out.ptr[13] == 'u')
            cr_expect_eq(strtoul(bp_str_n(out.ptr + 14, 4).ptr, &end, 16), c);
        buffer_deinit(&out);
    }
}

Test(encode, long_text_of_escapes)
{
    enum { LEN = 100000 };
    char *text = malloc(LEN);
    struct buffer out = {0};
    memset(text, 1, LEN);
    schema_encode_text(bp_str_n(text, LEN), &out);
    cr_expect_eq(out.len, 6 * LEN + 2);
    cr_expect(bp_str_starts(buffer_str(&out), BP_STR("\"\\u0001\\u0001")));
    buffer_deinit(&out);
    free(text);
}

Test(encode, doubles)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {1, "1"},
        {-17, "-17"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {9007199254740991.0, "9007199254740991"},
        {1e22, "1e+22"},
        {1e-7, "1e-07"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {5e-324, "4.94065645841247e-324"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[NUMBER_DOUBLE_MAX + 1];
        *number_put_double(text, cases[i].value) = '\0';
        cr_expect_str_eq(text, cases[i].text, "%s", text);
        if (isfinite(cases[i].value))
            cr_expect_eq(strtod(text, NULL), cases[i].value);
    }
}

Test(encode, integers)
{
    static const int64_t values[] = {0,     1,     9,          10,        99,        100, 101, 999, 1000,
                                     12345, 99999, 4294967295, INT64_MAX, INT64_MIN, -1,  -10, -99};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[32], expected[32];
        *number_put_i64(text, values[i]) = '\0';
        snprintf(expected, sizeof(expected), "%lld", (long long)values[i]);
        cr_expect_str_eq(text, expected);
    }
}

/* Against the public functions, which are written differently. */
Test(encode, dates_and_uuids)
{
    char text[BP_UUID_LEN + 1] = {0}, expected[BP_UUID_LEN + 1] = {0};
    bp_date first, last;
    cr_assert(bp_date_parse(BP_STR("0000-01-01T00:00:00.000Z"), &first));
    cr_assert(bp_date_parse(BP_STR("9999-12-31T23:59:59.999Z"), &last));
    cr_expect_null(number_put_date(text, first - 1));
    cr_expect_null(number_put_date(text, last + 1));
    for (bp_date day = 0; first + day * 86400000 <= last; day++) {
        bp_date date = first + day * 86400000 + day * 7919 % 86400000;
        cr_assert_eq(number_put_date(text, date), text + BP_DATE_LEN);
        bp_date_format(date, expected);
        cr_assert(memcmp(text, expected, BP_DATE_LEN) == 0, "%.24s is %.24s", expected, text);
    }
    for (int i = 0; i < 1000; i++) {
        bp_uuid uuid;
        bp_random(&uuid, sizeof(uuid));
        cr_assert_eq(number_put_uuid(text, &uuid), text + BP_UUID_LEN);
        bp_uuid_format(&uuid, expected);
        cr_assert(memcmp(text, expected, BP_UUID_LEN) == 0);
    }
}
