/* SPDX-License-Identifier: MIT */
/* What is JSON and what is not, in the manner of JSONTestSuite, and where the error is. */
#include "core/base/arena.h"
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>

struct any {
    bool unused;
};
static const struct bp_field any[] = {BP_BOOL(struct any, unused), BP_END};

/* The texts hold NULs, so their lengths count. */
#define T(literal) BP_STR_INIT(literal)

static int read(bp_str json, struct bp_arena *arena, struct bp_problems *problems)
{
    struct any object;
    problems_init(problems, arena);
    return schema_decode_json(any, json, arena, &object, problems);
}

static const bp_str legal[] = {
    T("{}"),
    T(" \t\r\n{ } \t\r\n"),
    T("[]"),
    T("[[],{}]"),
    T("null"),
    T("true"),
    T("false"),
    T("0"),
    T("-0"),
    T("\"\""),
    T("[1,2 , 3]"),
    T("[-1.5e+10]"),
    T("[1E22]"),
    T("[1e-2]"),
    T("[0e1]"),
    T("[123456789012345678901234567890]"),
    T("[-123456789012345678901234567890]"),
    T("[1e400,-1e400,1e-400]"),
    T("[9223372036854775808]"),
    T("[0.1234567890123456789012345678901234567890]"),
    T("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    T("[\"\\u0061\\u00e9\\u4E2d\"]"),
    T("[\"\\uD834\\uDd1e\"]"),
    T("[\"\\u0000\"]"),
    T("[\"\x7f\"]"),
    T("[\"\xc2\x80\xe2\x80\xa8\xf4\x8f\xbf\xbf\"]"),
    T("[\"\\\\u0000\"]"),
    T("[\"[[[[{{{{\"]"),
    T("{\"\":0}"),
    T("{\"a\":1,\"a\":2}"),
    T("{\"a\":{\"b\":[null,true,false,{}]}}"),
    T("{\"\\u0061\\\"\":\"\xf0\x9f\x98\x80\"}"),
    T("[\"99999999999999999999\",99999999999999999999]"),
    T("[1e999,\"a \\\" 1e999\",{\"1e999\":99999999999999999999999}]"),
};

static const bp_str illegal[] = {
    T(""),
    T(" "),
    T("{"),
    T("}"),
    T("["),
    T("]"),
    T("[1"),
    T("[1,"),
    T("[1,]"),
    T("[,1]"),
    T("[1,,2]"),
    T("[1 2]"),
    T("[1}"),
    T("{\"a\":1"),
    T("{\"a\":1,}"),
    T("{\"a\"}"),
    T("{\"a\":}"),
    T("{\"a\" 1}"),
    T("{:1}"),
    T("{1:1}"),
    T("{a:1}"),
    T("{'a':1}"),
    T("{\"a\":1]"),
    T("{} {}"),
    T("{}x"),
    T("[]]"),
    T("nul"),
    T("True"),
    T("nan"),
    T("[NaN]"),
    T("[Infinity]"),
    T("[-Infinity]"),
    T("undefined"),
    T("[01]"),
    T("[-01]"),
    T("[+1]"),
    T("[-]"),
    T("[- 1]"),
    T("[1.]"),
    T("[.5]"),
    T("[1.e1]"),
    T("[1e]"),
    T("[1e+]"),
    T("[0x10]"),
    T("[1_000]"),
    T("[1.2.3]"),
    T("[1-2]"),
    T("[99999999999999999999-1]"),
    T("[1e400e]"),
    T("[01e400]"),
    T("[+1e400]"),
    T("[1.e400]"),
    T("[.1e400]"),
    T("[-e400]"),
    T("[1e400,01]"),
    T("[99999999999999999999,1.]"),
    T("[099999999999999999999]"),
    T("\""),
    T("[\"]"),
    T("[\"\\\"]"),
    T("[\"\\x41\"]"),
    T("[\"\\a\"]"),
    T("[\"\\u12\"]"),
    T("[\"\\u12G4\"]"),
    T("[\"\\'\"]"),
    T("[\"\t\"]"),
    T("[\"\n\"]"),
    T("[\"\\\n\"]"),
    T("[\"\x01\"]"),
    T("[\"\x1f\"]"),
    T("[\"\0\"]"),
    T("[1\0]"),
    T("1\0"),
    T("{}\0"),
    T("[\x0b]"),
    T("[\x0c]"),
    T("[\x7f]"),
    T("\xef\xbb\xbf{}"),
    T("[\"\xff\"]"),
    T("[\"\xc0\xaf\"]"),
    T("[\"\xe9\"]"),
    T("[\"\xed\xa0\x80\"]"),
    T("[\"\xf4\x90\x80\x80\"]"),
    T("[\"\xe4\xb8\"]"),
    T("[\"\\ud800\"]"),
    T("[\"\\ud800\\u0041\"]"),
    T("[\"\\udc00\"]"),
    T("[1]//x"),
    T("/**/[1]"),
    T("[1]#"),
    T("\xc2\xa0[1]"),
    T("{\"a\":1;\"b\":2}"),
    T("('a')"),
    T("<html>"),
};

Test(json, legal)
{
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
        struct bp_problems problems;
        int status = read(legal[i], arena, &problems);
        bool object = bp_str_trim(legal[i]).ptr[0] == '{';
        cr_expect_eq(status, object ? 0 : SCHEMA_INVALID, "%zu %s: %s", i, legal[i].ptr, problems_text(&problems));
    }
    arena_free(arena);
}

Test(json, illegal)
{
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++) {
        struct bp_problems problems;
        int status = read(illegal[i], arena, &problems);
        cr_expect_eq(status, SCHEMA_SYNTAX, "%zu %s gives %d", i, illegal[i].ptr, status);
        cr_assert_eq(problems.len, 1);
        cr_expect(bp_str_is(problems.items[0].code, "syntax"));
        cr_expect(bp_str_starts(problems.items[0].message, BP_STR("Invalid JSON at line ")));
        cr_expect_eq(problems.items[0].field.len, 0);
    }
    arena_free(arena);
}

Test(json, positions)
{
    static const struct {
        bp_str json;
        const char *message;
    } cases[] = {
        {T(""), "Invalid JSON at line 1, column 1: the text is empty"},
        {T("{\"a\":}"), "Invalid JSON at line 1, column 6: unexpected token"},
        {T("{\n  \"a\": nul\n}"), "Invalid JSON at line 2, column 10: invalid token"},
        {T("{\"a\":1"), "Invalid JSON at line 1, column 6: '}' expected"},
        {T("{}\n\n x"), "Invalid JSON at line 3, column 2: end of file expected"},
        {T("{\"\xc3\xa9\xf0\x9f\x98\x80\":}"), "Invalid JSON at line 1, column 7: unexpected token"},
        {T("{\r\n\"a\":\r\n\"b\x01\"}"), "Invalid JSON at line 3, column 3: raw control character"},
        {T("[\"a\nb\"]"), "Invalid JSON at line 1, column 4: raw control character"},
        {T("[1\0]"), "Invalid JSON at line 1, column 3: raw control character"},
        {T("[\"\\ud800secret\"]"), "Invalid JSON at line 1, column 15: invalid Unicode"},
        {T("{\"a\":99999999999999999999,\"b\":1e400,\n\"c\" 1}"), "Invalid JSON at line 2, column 5: ':' expected"},
    };
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_problems problems;
        cr_expect_eq(read(cases[i].json, arena, &problems), SCHEMA_SYNTAX);
        cr_expect_str_eq(problems_messages(&problems), cases[i].message, "%zu: %s", i, problems_messages(&problems));
    }
    arena_free(arena);
}

static int read_nested(struct bp_arena *arena, unsigned depth, const char *open, const char *close,
                       struct bp_problems *problems)
{
    struct buffer json = {0};
    for (unsigned i = 0; i < depth; i++)
        buffer_add(&json, bp_str_of(open));
    buffer_add(&json, BP_STR("1"));
    for (unsigned i = 0; i < depth; i++)
        buffer_add(&json, bp_str_of(close));
    int status = read(buffer_str(&json), arena, problems);
    buffer_deinit(&json);
    return status;
}

Test(json, depth_is_bounded)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    cr_expect_eq(read_nested(arena, 64, "[", "]", &problems), SCHEMA_INVALID);
    cr_expect_eq(read_nested(arena, 65, "[", "]", &problems), SCHEMA_SYNTAX);
    cr_expect_str_eq(problems_messages(&problems), "Invalid JSON at line 1, column 65: nested deeper than 64 levels");
    cr_expect_eq(read_nested(arena, 64, "{\"a\":", "}", &problems), 0);
    cr_expect_eq(read_nested(arena, 65, "{\"a\":", "}", &problems), SCHEMA_SYNTAX);
    cr_expect_eq(read_nested(arena, 1000000, "[", "]", &problems), SCHEMA_SYNTAX);
    arena_free(arena);
}
