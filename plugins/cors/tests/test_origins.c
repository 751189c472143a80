/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "origins.h"

Test(origins, any)
{
    cr_expect(cors_any(BP_STR("*")));
    cr_expect(cors_any(BP_STR(" * ")));
    cr_expect_not(cors_any(BP_STR("https://a.example")));
    cr_expect_not(cors_any(BP_STR("*, https://a.example")));
}

Test(origins, list)
{
    static const bp_str list = BP_STR_INIT("https://a.example, http://localhost:5173 ,https://b.example");
    static const struct {
        const char *origin;
        bool allowed;
    } cases[] = {{"https://a.example", true},
                 {"http://localhost:5173", true},
                 {"https://b.example", true},
                 {"https://c.example", false},
                 {"http://a.example", false},
                 {"https://a.example:443", false},
                 {"https://a.example.evil", false},
                 {"https://evil-a.example", false},
                 {"https://A.example", false},
                 {"null", false},
                 {"", false},
                 {"https://a.example,", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(cors_allows(list, bp_str_of(cases[i].origin)), cases[i].allowed, "%s", cases[i].origin);
}

Test(origins, what_is_no_origin_is_said)
{
    static const struct {
        const char *option, *entry, *wrong;
    } cases[] = {{"*", NULL, NULL},
                 {"https://a.example", NULL, NULL},
                 {"https://a.example:8443, http://[::1]:3000", NULL, NULL},
                 {"a.example", "a.example", "is not an origin such as https://app.example.com"},
                 {"https://a.example, ", "", "is not an origin such as https://app.example.com"},
                 {"://a", "://a", "is not an origin such as https://app.example.com"},
                 {"https://", "https://", "has no host"},
                 {"https://a.example/", "https://a.example/", "must not have a path, not even a trailing slash"},
                 {"https://*.example", "https://*.example", "holds a character that no origin has"},
                 {"https://a b", "https://a b", "holds a character that no origin has"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str entry = {NULL, 0};
        const char *wrong = cors_check(bp_str_of(cases[i].option), &entry);
        if (!cases[i].wrong) {
            cr_expect_null(wrong, "%s", cases[i].option);
            continue;
        }
        cr_expect_str_eq(wrong, cases[i].wrong, "%s", cases[i].option);
        cr_expect(bp_str_is(entry, cases[i].entry), "%s", cases[i].option);
    }
}
