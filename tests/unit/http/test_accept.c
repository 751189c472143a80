/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/http/accept.h"

static const struct {
    const char *accept;
    int json;                         /* weight by the most specific range */
    bool excluded, unlisted, problem; /* whether JSON is taken with this option; whether problems are preferred */
} cases[] = {
    {"", ACCEPT_NOT_LISTED, true, true, false},
    {"*/*", 1000, true, true, false},
    {"application/json", 1000, true, true, false},
    {"Application/JSON;charset=utf-8", 1000, true, true, false},
    {"application/*;q=0.25", 250, true, true, false},
    {"text/html", ACCEPT_NOT_LISTED, true, false, false},
    {"image/png, text/*;q=0.5", ACCEPT_NOT_LISTED, true, false, false},
    {"text/html,application/xhtml+xml,*/*;q=0.8", 800, true, true, false},
    {"application/problem+json", ACCEPT_NOT_LISTED, true, true, true},
    {"application/problem+json;q=0", ACCEPT_NOT_LISTED, true, false, false},
    {"application/json;q=0.5, application/problem+json", 500, true, true, true},
    {"application/json, application/problem+json;q=0.5", 1000, true, true, false},
    {"application/json;q=0", 0, false, false, false},
    {"application/json;q=0.000", 0, false, false, false},
    {"application/json ; Q=0 , */*", 0, false, false, false},
    {"text/html, */*;q=0", 0, false, false, false},
    {"application/*;q=0", 0, false, false, false},
    {"*/*;q=0, application/json;q=0.1", 100, true, true, false},
    {"application/*;q=0, */*;q=1", 0, false, false, false},
    {"application/json;q=0, application/problem+json", 0, true, true, true},
    {"application/json;q=0.001", 1, true, true, false},
    {"application/json;q=1.000", 1000, true, true, false},
    /* no weights, which count as none */
    {"application/json;q=", 0, false, false, false},
    {"application/json;q=1.5", 0, false, false, false},
    {"application/json;q=-1", 0, false, false, false},
    {"application/json;q=0.0001", 0, false, false, false},
    {"application/json;q=0x", 0, false, false, false},
    {",", ACCEPT_NOT_LISTED, true, false, false},
    {";q=0", ACCEPT_NOT_LISTED, true, false, false},
    {"*", ACCEPT_NOT_LISTED, true, false, false},
    {"application/jsonp;q=0, application/jso;q=0", ACCEPT_NOT_LISTED, true, false, false},
};

Test(accept, weights_and_refusals)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str accept = bp_str_of(cases[i].accept);
        cr_expect_eq(accept_weight(accept, BP_STR("application/json"), true), cases[i].json, "%s", cases[i].accept);
        cr_expect_eq(accept_takes_json(accept, ACCEPT_EXCLUDED), cases[i].excluded, "%s", cases[i].accept);
        cr_expect_eq(accept_takes_json(accept, ACCEPT_UNLISTED), cases[i].unlisted, "%s", cases[i].accept);
        cr_expect(accept_takes_json(accept, ACCEPT_NEVER), "%s", cases[i].accept);
        cr_expect_eq(accept_prefers_problem(accept), cases[i].problem, "%s", cases[i].accept);
    }
}
