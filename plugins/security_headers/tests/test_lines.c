/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "lines.h"

static struct security_headers defaults(void)
{
    return (struct security_headers){.content_security_policy = BP_STR("default-src 'none'; frame-ancestors 'none'"),
                                     .frame_options = BP_STR("DENY"),
                                     .referrer_policy = BP_STR("no-referrer"),
                                     .hsts_max_age = 365 * BP_DAY,
                                     .hsts_subdomains = true};
}

Test(lines, are_exact)
{
    struct security_headers s = defaults();
    static const char expected[] = "X-Content-Type-Options: nosniff\r\n"
                                   "X-Frame-Options: DENY\r\n"
                                   "Referrer-Policy: no-referrer\r\n"
                                   "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
                                   "Cross-Origin-Resource-Policy: same-origin\r\n"
                                   "Cross-Origin-Opener-Policy: same-origin\r\n"
                                   "X-DNS-Prefetch-Control: off\r\n"
                                   "X-Permitted-Cross-Domain-Policies: none\r\n";
    cr_assert(security_headers_build(&s));
    cr_expect(bp_str_eq(bp_str_n(s.lines, s.lines_len), bp_str_of(expected)));
    cr_expect(bp_str_eq(bp_str_n(s.hsts_line, s.hsts_len),
                        BP_STR("Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n")));
    free(s.lines);
    free(s.hsts_line);
}

Test(lines, hsts_is_an_option)
{
    struct security_headers s = defaults();
    s.hsts_subdomains = false;
    s.hsts_max_age = BP_MINUTE;
    cr_assert(security_headers_build(&s));
    cr_expect(bp_str_eq(bp_str_n(s.hsts_line, s.hsts_len), BP_STR("Strict-Transport-Security: max-age=60\r\n")));
    free(s.lines);
    free(s.hsts_line);
    s = defaults();
    s.hsts_max_age = 0;
    cr_assert(security_headers_build(&s));
    cr_expect_null(s.hsts_line);
    free(s.lines);
}

Test(lines, values_without_control_characters)
{
    cr_expect(security_headers_valid(BP_STR("default-src 'self'")));
    cr_expect(security_headers_valid(BP_STR("")));
    cr_expect_not(security_headers_valid(BP_STR("a\r\nX-Injected: b")));
    cr_expect_not(security_headers_valid(BP_STR("a\tb")));
    cr_expect_not(security_headers_valid(BP_STR("a\x7f")));
}
