/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "backplane/str.h"

Test(str, trim)
{
    static const char *const cases[][2] = {
        {"", ""}, {"a", "a"}, {" a ", "a"}, {"\t\r\n\v\f a b \n", "a b"}, {"   ", ""}, {"\xc2\xa0", "\xc2\xa0"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_assert(bp_str_is(bp_str_trim(bp_str_of(cases[i][0])), cases[i][1]), "%s", cases[i][0]);
}

Test(str, to_u64)
{
    static const struct {
        const char *text;
        bool valid;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"+1", false, 0},
        {"-1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x1", false, 0},
        {"1.0", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 99;
        cr_assert_eq(bp_str_to_u64(bp_str_of(cases[i].text), &value), cases[i].valid, "%s", cases[i].text);
        cr_assert_eq(value, cases[i].valid ? cases[i].value : 99, "%s", cases[i].text);
    }
}

Test(str, compare)
{
    static const struct {
        const char *a, *b;
        bool equal, nocase;
    } cases[] = {
        {"", "", true, true},     {"a", "a", true, true},
        {"a", "A", false, true},  {"Content-Type", "content-type", false, true},
        {"a", "b", false, false}, {"a", "ab", false, false},
        {"", "a", false, false},  {"[", "{", false, false},
        {"@", "`", false, false}, {"\xc4", "\xe4", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str a = bp_str_of(cases[i].a), b = bp_str_of(cases[i].b);
        cr_assert_eq(bp_str_eq(a, b), cases[i].equal, "%s %s", cases[i].a, cases[i].b);
        cr_assert_eq(bp_str_eq_secret(a, b), cases[i].equal, "%s %s", cases[i].a, cases[i].b);
        cr_assert_eq(bp_str_eq_secret(b, a), cases[i].equal, "%s %s", cases[i].a, cases[i].b);
        cr_assert_eq(bp_str_eq_nocase(a, b), cases[i].nocase, "%s %s", cases[i].a, cases[i].b);
    }
    cr_assert(bp_str_starts(BP_STR("abc"), BP_STR("ab")));
    cr_assert(bp_str_starts(BP_STR("abc"), BP_STR("")));
    cr_assert_not(bp_str_starts(BP_STR("ab"), BP_STR("abc")));
    cr_assert_eq(bp_str_of(NULL).len, 0);
}

Test(str, u64)
{
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {{0, "0"},
                 {9, "9"},
                 {10, "10"},
                 {99, "99"},
                 {100, "100"},
                 {101, "101"},
                 {999, "999"},
                 {1000, "1000"},
                 {1795394917218, "1795394917218"},
                 {UINT64_MAX, "18446744073709551615"}};
    char space[20];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect(bp_str_is(bp_str_u64(cases[i].value, space), cases[i].text), "%s", cases[i].text);
}

/* Every byte against every other, at every place of a text longer than a word. */
Test(str, eq_nocase_every_byte)
{
    char one[11], other[11];
    unsigned wrong = 0;
    memset(one, 'x', sizeof(one));
    memset(other, 'X', sizeof(other));
    for (size_t at = 0; at < sizeof(one); at++) {
        for (int a = 0; a < 256; a++)
            for (int b = 0; b < 256; b++) {
                int x = a >= 'A' && a <= 'Z' ? a + 32 : a, y = b >= 'A' && b <= 'Z' ? b + 32 : b;
                one[at] = (char)a;
                other[at] = (char)b;
                wrong += bp_str_eq_nocase(bp_str_n(one, sizeof(one)), bp_str_n(other, sizeof(other))) != (x == y);
            }
        one[at] = 'x';
        other[at] = 'X';
    }
    cr_expect_eq(wrong, 0);
}

Test(str, utf8_length)
{
    static const char *const none[] = {"\x80",
                                       "\xbf",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xe0\x9f\xbf",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "\xc3(",
                                       "\xe2\x82(",
                                       "\xf0\x9f\x98("};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        cr_expect_eq(bp_utf8_length(bp_str_of(none[i])), 0, "%zu", i);
    cr_expect_eq(bp_utf8_length(BP_STR("")), 0);
    for (unsigned c = 0; c <= 0x10ffff; c++) {
        size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        char text[5] = {(char)c, 'z', 'z', 'z', 'z'};
        for (size_t i = len; len > 1 && i > 1; i--)
            text[i - 1] = (char)(0x80 | (c >> (6 * (len - i)) & 0x3f));
        if (len > 1)
            text[0] = (char)((0xf00 >> len) | c >> (6 * (len - 1)));
        size_t expected = c >= 0xd800 && c <= 0xdfff ? 0 : len;
        cr_assert_eq(bp_utf8_length(bp_str_n(text, sizeof(text))), expected, "U+%04X", c);
        cr_assert_eq(bp_utf8_length(bp_str_n(text, len)), expected, "U+%04X", c);
        for (size_t cut = 1; cut < len; cut++)
            cr_assert_eq(bp_utf8_length(bp_str_n(text, cut)), 0, "U+%04X cut to %zu", c, cut);
    }
}

Test(str, utf8_cut)
{
    static const size_t kept[] = {0, 0, 2, 2, 2, 5, 5, 5, 5, 9, 9, 9};
    static const bp_str text = BP_STR_INIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    for (size_t most = 0; most < 12; most++) {
        cr_expect_eq(bp_utf8_cut(text, most).len, kept[most], "%zu", most);
        cr_expect_eq(bp_utf8_cut(text, most).ptr, text.ptr, "%zu", most);
    }
    cr_expect_eq(bp_utf8_cut(BP_STR("plain"), 3).len, 3);
    /* What is not UTF-8 does not vanish. */
    cr_expect_eq(bp_utf8_cut(BP_STR("\x80\x80\x80\x80\x80\x80"), 5).len, 2);
    cr_expect_eq(bp_utf8_cut(bp_str_n(NULL, 0), 5).ptr, NULL);
}

Test(str, lists_are_taken_apart)
{
    static const struct {
        const char *list;
        size_t count;
        const char *parts[4];
    } cases[] = {
        {NULL, 0, {NULL}},           {"", 1, {""}},        {"a", 1, {"a"}},      {"a,b", 2, {"a", "b"}},
        {"a, b", 2, {"a", " b"}},    {"a,", 2, {"a", ""}}, {",a", 2, {"", "a"}}, {",", 2, {"", ""}},
        {"a,,b", 3, {"a", "", "b"}}, {"a;b", 1, {"a;b"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str list = bp_str_of(cases[i].list), part;
        size_t count = 0;
        while (bp_str_next(&list, ',', &part)) {
            cr_assert_lt(count, cases[i].count, "\"%s\"", cases[i].list);
            cr_expect(bp_str_is(part, cases[i].parts[count]), "\"%s\": %zu", cases[i].list, count);
            count++;
        }
        cr_expect_eq(count, cases[i].count, "\"%s\"", cases[i].list);
    }
}
