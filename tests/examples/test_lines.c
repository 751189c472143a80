/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "lines.h"

Test(lines, hold)
{
    static const struct {
        const char *text, *line;
        bool held;
    } cases[] = {{"", "a", false},      {"a", "a", true},       {"a\n", "a", true},       {"b\n a\t\r\nc", "a", true},
                 {"b\n\na", "a", true}, {"ab\nba", "a", false}, {"a b", "a", false},      {"A", "a", false},
                 {"\n\n", "a", false},  {"\n", "", true},       {"b\nlast", "last", true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(lines_hold(bp_str_of(cases[i].text), bp_str_of(cases[i].line)), cases[i].held, "\"%s\" in \"%s\"",
                     cases[i].line, cases[i].text);
}
