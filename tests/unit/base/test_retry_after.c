/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "backplane/clock.h"

Test(retry_after, values)
{
    const bp_date now = 1792000000000;
    static const struct {
        const char *value;
        bool fine;
        bp_date after; /* now */
    } cases[] = {
        {"0", true, 0},
        {"120", true, 120000},
        {" 7 ", true, 7000},
        {"86399", true, 86399000},
        {"86400", true, 86400000},
        {"99999999999", true, 86400000},
        {"Wed, 14 Oct 2026 17:48:40 GMT", true, 120000},
        {"Wednesday, 14-Oct-26 17:48:40 GMT", true, 120000},
        {"Wed Oct 14 17:48:40 2026", true, 120000},
        {"Thu, 01 Jan 1970 00:00:10 GMT", true, 10000 - 1792000000000},
        {"Fri, 31 Dec 9999 23:59:59 GMT", true, 86400000},
        {"", false, 0},
        {"-1", false, 0},
        {"1.5", false, 0},
        {"soon", false, 0},
        {"99999999999999999999999999", false, 0},
        {"Wed, 14 Oct 2026 17:48:40 GMT, or later", false, 0},
        {"2026-10-14T17:48:40Z", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_date date = 0;
        cr_expect_eq(bp_retry_after_parse(bp_str_of(cases[i].value), now, &date), cases[i].fine, "%s", cases[i].value);
        cr_expect_eq(date, cases[i].fine ? now + cases[i].after : 0, "%s: %lld", cases[i].value,
                     (long long)(date - now));
    }
}
