/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "directives.h"

Test(directives, of_requests)
{
    static const struct {
        const char *value;
        bool no_read, no_fill;
    } cases[] = {
        {"", false, false},           {"no-cache", true, false},          {"No-Cache", true, false},
        {"no-store", true, true},     {"max-age=0", true, false},         {"max-age=\"0\"", true, false},
        {"max-age=00", true, false},  {"max-age=10", false, false},       {"max-age=", false, false},
        {"max-age=01", false, false}, {"no-transform", false, false},     {"no-transform , no-cache", true, false},
        {"x-no-cache", false, false}, {"max-age=0, no-store", true, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request_directives found = directives_of_request(bp_str_of(cases[i].value));
        cr_expect_eq(found.no_read, cases[i].no_read, "%s", cases[i].value);
        cr_expect_eq(found.no_fill, cases[i].no_fill, "%s", cases[i].value);
    }
}

Test(directives, of_replies)
{
    static const struct {
        const char *value;
        bool identified, anonymous;
    } cases[] = {{"", true, true},
                 {"private, no-cache", true, false},
                 {"private=\"x\"", true, false},
                 {"privateer", true, true},
                 {"no-cache", true, true},
                 {"max-age=3, No-Store", false, false},
                 {"public, max-age=60", true, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(directives_allow(bp_str_of(cases[i].value), true), cases[i].identified, "%s", cases[i].value);
        cr_expect_eq(directives_allow(bp_str_of(cases[i].value), false), cases[i].anonymous, "%s", cases[i].value);
    }
}

Test(directives, etags)
{
    static const struct {
        const char *if_none_match, *etag;
        bool matches;
    } cases[] = {{"\"a\"", "\"a\"", true},
                 {"W/\"a\"", "\"a\"", true},
                 {"\"a\"", "W/\"a\"", true},
                 {"\"b\", \"a\"", "\"a\"", true},
                 {"\"a,b\",\"c\"", "\"c\"", true},
                 {"\"a,b\"", "\"b\"", false},
                 {"\"ab\"", "\"a\"", false},
                 {"*", "\"a\"", true},
                 {" * ", "\"a\"", true},
                 {"*", "", false},
                 {"", "\"a\"", false},
                 {"a", "\"a\"", false},
                 {"\"a", "\"a\"", false},
                 {"\"x\" , , W/\"a\"", "\"a\"", true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(etag_matches(bp_str_of(cases[i].if_none_match), bp_str_of(cases[i].etag)), cases[i].matches,
                     "%s against %s", cases[i].if_none_match, cases[i].etag);
}
