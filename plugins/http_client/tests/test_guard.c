/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "guard.h"

static bool allows(const struct guard *guard, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return guard_allows(guard, (const struct sockaddr *)&v4);
    cr_assert_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1, "%s", text);
    return guard_allows(guard, (const struct sockaddr *)&v6);
}

Test(guard, addresses)
{
    static const struct {
        const char *address;
        bool allowed;
    } cases[] = {
        {"1.1.1.1", true},
        {"93.184.216.34", true},
        {"9.255.255.255", true},
        {"11.0.0.0", true},
        {"172.15.255.255", true},
        {"172.32.0.0", true},
        {"223.255.255.255", true},
        {"2606:4700::1111", true},
        {"2a00:1450:4001::200e", true},
        {"0.0.0.0", false},
        {"0.1.2.3", false},
        {"10.0.0.1", false},
        {"100.64.0.1", false},
        {"100.100.100.200", false},
        {"127.0.0.1", false},
        {"127.255.255.254", false},
        {"168.63.129.16", false},
        {"169.254.169.254", false},
        {"172.16.0.1", false},
        {"172.31.255.255", false},
        {"192.0.0.192", false},
        {"192.168.1.1", false},
        {"198.18.0.1", false},
        {"224.0.0.1", false},
        {"255.255.255.255", false},
        {"::", false},
        {"::1", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:10.0.0.1", false},
        {"::ffff:1.1.1.1", true},
        {"::127.0.0.1", false},
        {"64:ff9b::7f00:1", false},
        {"fc00::1", false},
        {"fd00:ec2::254", false},
        {"fe80::1", false},
        {"fec0::1", false},
        {"ff02::1", false},
        {"2001:0:7f00:1::", false},
        {"2001:db8::1", false},
        {"2002:7f00:1::", false},
    };
    struct guard guard = {.special_count = 0};
    bp_str which;
    cr_assert_null(guard_init(&guard, (struct bp_array){0}, &which));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(allows(&guard, cases[i].address), cases[i].allowed, "%s", cases[i].address);
    const struct sockaddr local = {.sa_family = AF_UNIX};
    cr_expect_not(guard_allows(&guard, &local));
}

Test(guard, exceptions)
{
    bp_str texts[] = {BP_STR_INIT(""), BP_STR_INIT("10.1.0.0/16 , fd00::/8"), BP_STR_INIT("127.0.0.1")}, which;
    struct guard guard = {.special_count = 0};
    cr_assert_null(guard_init(&guard, (struct bp_array){texts, 3}, &which));
    cr_expect(allows(&guard, "10.1.2.3"));
    cr_expect(allows(&guard, "::ffff:10.1.2.3"));
    cr_expect(allows(&guard, "fd00:ec2::254"));
    cr_expect(allows(&guard, "127.0.0.1"));
    cr_expect_not(allows(&guard, "10.2.0.1"));
    cr_expect_not(allows(&guard, "127.0.0.2"));

    static const char *const wrong[] = {"10.0.0.0/33", "localhost", "10.0.0.0/8,,::1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct guard other = {.special_count = 0};
        texts[0] = bp_str_of(wrong[i]);
        cr_expect_not_null(guard_init(&other, (struct bp_array){texts, 1}, &which), "%s", wrong[i]);
    }
}
