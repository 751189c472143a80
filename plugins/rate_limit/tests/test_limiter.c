/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "limiter.h"

Test(limiter, an_address_counts_as_its_subscriber)
{
    static const struct {
        const char *a, *b;
        size_t len_a, len_b;
        bool same;
    } cases[] = {
        {"\x7f\0\0\1", "\x7f\0\0\1", 4, 4, true},
        {"\x7f\0\0\1", "\x7f\0\0\2", 4, 4, false},
        {"\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\1", "\x20\x01\xd\xb8\0\0\0\1\xff\1\2\3\4\5\6\7", 16, 16, true},
        {"\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\1", "\x20\x01\xd\xb8\0\0\0\2\0\0\0\0\0\0\0\1", 16, 16, false},
        {"\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", "\x7f\0\0\1", 16, 4, true},
        {"\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\2", 16, 16, false},
        {"", "", 0, 0, true},
        {"", "\x7f\0\0\1", 0, 4, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char space_a[LIMITER_KEY], space_b[LIMITER_KEY];
        bp_str a = limiter_address_key(bp_str_n(cases[i].a, cases[i].len_a), space_a);
        bp_str b = limiter_address_key(bp_str_n(cases[i].b, cases[i].len_b), space_b);
        cr_assert_eq(bp_str_eq(a, b), cases[i].same, "case %zu", i);
    }
}

Test(limiter, the_message_is_the_one_that_clients_know)
{
    char text[LIMITER_MESSAGE];

    limiter_message(&(struct limit){.quota = 30, .window = BP_MINUTE}, text);
    cr_assert_str_eq(text, "Too many requests. Limit: 30 requests per 60000ms. Please try again later.");
    limiter_message(&(struct limit){.quota = 1000000000, .window = 366 * BP_DAY}, text);
    cr_assert_str_eq(text, "Too many requests. Limit: 1000000000 requests per 31622400000ms. Please try again later.");
}

Test(limiter, spans_are_rounded_up)
{
    static const struct {
        bp_span span;
        int64_t seconds, milliseconds;
    } cases[] = {{0, 0, 0},
                 {-5, 0, 0},
                 {1, 1, 1},
                 {BP_MILLISECOND, 1, 1},
                 {BP_MILLISECOND + 1, 1, 2},
                 {BP_SECOND, 1, 1000},
                 {BP_SECOND + 1, 2, 1001}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(limiter_seconds(cases[i].span), cases[i].seconds, "case %zu", i);
        cr_assert_eq(limiter_milliseconds(cases[i].span), cases[i].milliseconds, "case %zu", i);
    }
}
