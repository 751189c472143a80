/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/resource/etag.h"

static const struct {
    const char *field;
    int64_t version;
    bool none_match;
    enum etag_condition match;
    bool lists;
} cases[] = {
    {"\"3\"", 3, true, ETAG_ONE, true},
    {"\"3\"", 4, false, ETAG_ONE, false},
    {"*", 3, true, ETAG_ANY, false},
    {" * ", 3, true, ETAG_ANY, false},
    {"W/\"3\"", 3, true, ETAG_NEVER, false}, /* weak: good enough for reading, not for writing */
    {"\"1\", \"3\"", 3, true, ETAG_SEVERAL, true},
    {"\"1\",W/\"2\" ,\"3\"", 2, true, ETAG_SEVERAL, false},
    {"\"03\"", 3, false, ETAG_NEVER, false},
    {"3", 3, false, ETAG_NEVER, false},
    {"\"\"", 0, false, ETAG_NEVER, false},
    {"\"3", 3, false, ETAG_NEVER, false},
    {"\"abc\"", 3, false, ETAG_NEVER, false},
    {"\"-3\"", -3, false, ETAG_NEVER, false},
    {"\"9223372036854775807\"", INT64_MAX, true, ETAG_ONE, true},
    {"\"9223372036854775808\"", INT64_MAX, false, ETAG_NEVER, false},
    {"\"2\", \"03\"", 3, false, ETAG_ONE, false},
    {"", 3, false, ETAG_NEVER, false},
    {",,", 3, false, ETAG_NEVER, false},
};

Test(etag, conditions)
{
    int64_t version;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        bp_str field = bp_str_of(cases[i].field);
        cr_expect_eq(etag_none_match(field, cases[i].version), cases[i].none_match, "None-Match %s", cases[i].field);
        cr_expect_eq(etag_match(field, &version), cases[i].match, "Match %s", cases[i].field);
        if (cases[i].match == ETAG_ONE)
            cr_expect_eq(version == cases[i].version, cases[i].lists, "the version of %s", cases[i].field);
        cr_expect_eq(etag_match_lists(field, cases[i].version), cases[i].lists, "lists %s", cases[i].field);
    }
    cr_expect_eq(etag_match(bp_str_n(NULL, 0), &version), ETAG_NO_CONDITION);
}

Test(etag, formats)
{
    char text[ETAG_MAX];
    cr_expect_eq(etag_format(12, text), 4);
    cr_expect_str_eq(text, "\"12\"");
}
