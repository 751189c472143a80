/* SPDX-License-Identifier: MIT */
#include "tests/unit/http/limits.h"

#include <criterion/criterion.h>

static const struct parser_limits small = {.target = 64, .field = 12, .head = 256, .fields = 8, .trailer = 24};

static const struct body {
    const char *in;
    int status; /* 2: ends, at the end of in; 0: more is needed; or a refusal */
    const char *data;
    const char *reason;
} bodies[] = {
    {"0\r\n\r\n", 2, "", NULL},
    {"000\r\n\r\n", 2, "", NULL},
    {"5\r\nhello\r\n0\r\n\r\n", 2, "hello", NULL},
    {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 2, "hello world", NULL},
    {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", 2, "01234567890123456789", NULL},
    {"00000000000000000000000005\r\nhello\r\n0\r\n\r\n", 2, "hello", NULL},
    {"4\r\n\r\n\r\n\r\n0\r\n\r\n", 2, "\r\n\r\n", NULL},
    {"1;a=b\r\nx\r\n0;c\r\n\r\n", 2, "x", NULL},
    {"1 \t;a=\"q;\\\"\"\r\nx\r\n0\r\n\r\n", 2, "x", NULL},
    {"1\r\nx\r\n0\r\nA: b\r\nC:d\r\n\r\n", 2, "x", NULL},
    {"0\r\nA: 789012\r\nB:\r\n\r\n", 2, "", NULL},
    {"5\r\nhel", 0, "hel", NULL},
    {"5\r\nhello\r\n0\r\n", 0, "hello", NULL},
    {"", 0, "", NULL},
    /* sizes */
    {"\r\n", -400, "", "bare CR"},
    {"\n", -400, "", "bare LF"},
    {"g\r\n", -400, "", "malformed chunk size"},
    {"-1\r\n", -400, "", "malformed chunk size"},
    {"+1\r\n", -400, "", "malformed chunk size"},
    {" 1\r\n", -400, "", "malformed chunk size"},
    {"0x1\r\n", -400, "", "malformed chunk size"},
    {"1_0\r\n", -400, "", "malformed chunk size"},
    {"1 \r\n", -400, "", "bare CR"},
    {"1 x;\r\n", -400, "", "malformed chunk extension"},
    {"fffffffffffffff", 0, "", NULL},
    {"1000000000000000", -400, "", "chunk too large"},
    {"1\nx\r\n0\r\n\r\n", -400, "", "bare LF"},
    {"1\rx", -400, "", "bare CR"},
    {"1;a\n", -400, "", "bare LF"},
    {"1;a\x01", -400, "", "control character"},
    {"1;a\rb", -400, "", "bare CR"},
    {"1;\"\r\"\r\n", -400, "", "bare CR"},
    {"1;0123456789012345678901234", -431, "", "trailers too long"},
    {"1;01234567890\r\nx\r\n1;0123456789012345", -431, "x", "trailers too long"},
    /* data */
    {"1\r\nxy\r\n", -400, "x", "chunk longer than its size"},
    {"1\r\nx\n0\r\n\r\n", -400, "x", "bare LF"},
    {"1\r\nx\rz", -400, "x", "bare CR"},
    {"2\r\nx\r\n0\r\n\r\n", -400, "x\r", "bare LF"},
    {"3\r\nx\r\n0\r\n\r\n", -400, "x\r\n", "chunk longer than its size"},
    /* trailers */
    {"0\r\n\rx", -400, "", "bare CR"},
    {"0\r\n\n", -400, "", "bare LF"},
    {"0\r\n a: b\r\n\r\n", -400, "", "folded field line"},
    {"0\r\na: b\r\n c\r\n\r\n", -400, "", "folded field line"},
    {"0\r\na : b\r\n\r\n", -400, "", "malformed field name"},
    {"0\r\n: b\r\n\r\n", -400, "", "malformed field name"},
    {"0\r\na\r\n\r\n", -400, "", "bare CR"},
    {"0\r\na: b\n\r\n", -400, "", "bare LF"},
    {"0\r\na: \x02", -400, "", "control character"},
    {"0\r\na: b\rc", -400, "", "bare CR"},
    {"0\r\na: 4567890123\r\n\r\n", -431, "", "field line too long"},
    {"0\r\na: 456789012\r\nb: 45678901\r\n\r\n", -431, "", "trailers too long"},
};

struct outcome {
    char data[256];
    size_t len, used;
    const char *reason;
};

/* Feeds in[from..to) as one run; returns the last status. Every slice lies inside what was given, and every call moves on. */
static int feed(struct parser_chunked *chunked, const char *in, size_t from, size_t to, struct outcome *outcome)
{
    char *copy = exact_copy(in + from, to - from);
    bp_str rest = bp_str_n(copy, to - from);
    int status = 1;
    while (status == 1) {
        size_t used = 0;
        bp_str data = {0};
        status = parser_chunked(chunked, rest, &small, &used, &data, &outcome->reason);
        if (status < 0)
            break;
        cr_assert_leq(used, rest.len);
        cr_assert(status != 0 || used == rest.len, "stopped after %zu of %zu bytes", used, rest.len);
        cr_assert(status != 1 || (used > 0 && used < rest.len));
        cr_assert(data.len == 0 || (data.ptr >= rest.ptr && data.ptr + data.len <= rest.ptr + used));
        if (data.len > 0)
            memcpy(outcome->data + outcome->len, data.ptr, data.len);
        outcome->len += data.len;
        outcome->used += used;
        rest = bp_str_n(rest.ptr + used, rest.len - used);
    }
    free(copy);
    return status;
}

static void expect_outcome(const struct body *want, int status, const struct outcome *got, size_t split)
{
    cr_expect_eq(status, want->status, "%d (%s) for \"%s\" split at %zu", status, got->reason, want->in, split);
    cr_expect(bp_str_is(bp_str_n(got->data, got->len), want->data), "data \"%.*s\" for \"%s\" split at %zu",
              (int)got->len, got->data, want->in, split);
    if (status < 0)
        cr_expect_str_eq(got->reason, want->reason, "\"%s\" for \"%s\" split at %zu", got->reason, want->in, split);
    else
        cr_expect_eq(got->used, strlen(want->in), "%zu used of \"%s\" split at %zu", got->used, want->in, split);
}

Test(chunked, split_at_each_byte)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        size_t len = strlen(bodies[i].in);
        for (size_t split = 0; split <= len; split++) {
            struct parser_chunked chunked = {0};
            struct outcome outcome = {.reason = "none"};
            int status = feed(&chunked, bodies[i].in, 0, split, &outcome);
            if (status == 0 && split < len)
                status = feed(&chunked, bodies[i].in, split, len, &outcome);
            expect_outcome(&bodies[i], status, &outcome, split);
        }
    }
}

Test(chunked, byte_by_byte)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        size_t len = strlen(bodies[i].in);
        struct parser_chunked chunked = {0};
        struct outcome outcome = {.reason = "none"};
        int status = 0;
        for (size_t at = 0; at < len && status == 0; at++)
            status = feed(&chunked, bodies[i].in, at, at + 1, &outcome);
        expect_outcome(&bodies[i], status, &outcome, len);
    }
}

Test(chunked, leaves_what_follows_the_body)
{
    struct parser_chunked chunked = {0};
    bp_str in = BP_STR("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n"), data;
    const char *reason = NULL;
    size_t used = 0;
    cr_assert_eq(parser_chunked(&chunked, in, &small, &used, &data, &reason), 1);
    cr_expect_eq(used, 4);
    cr_expect(bp_str_is(data, "x"));
    in = bp_str_n(in.ptr + used, in.len - used);
    cr_assert_eq(parser_chunked(&chunked, in, &small, &used, &data, &reason), 2);
    cr_expect_eq(used, 7);
    cr_expect_eq(data.len, 0);
}

/* Data is given in place, as much as there is. */
Test(chunked, data_in_place)
{
    struct parser_chunked chunked = {0};
    char bytes[4096] = "1000\r\n";
    const char *reason = NULL;
    size_t used = 0;
    bp_str data;
    memset(bytes + 6, 'd', sizeof bytes - 6);
    cr_assert_eq(parser_chunked(&chunked, bp_str_n(bytes, sizeof bytes), &small, &used, &data, &reason), 0);
    cr_expect_eq(used, sizeof bytes);
    cr_expect_eq(data.ptr, bytes + 6);
    cr_expect_eq(data.len, sizeof bytes - 6);
    cr_assert_eq(parser_chunked(&chunked, BP_STR("123456\r"), &small, &used, &data, &reason), 1);
    cr_expect(bp_str_is(data, "123456"));
}
