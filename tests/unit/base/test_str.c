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
