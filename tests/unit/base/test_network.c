/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "backplane/network.h"

#define NO_ADDRESS "holds no IPv4 or IPv6 address; write \"10.0.0.0/8\", \"::1\" or \"unix\""
#define BITS_4 "needs a prefix length from 0 to 32 behind the slash"
#define BITS_6 "needs a prefix length from 0 to 128 behind the slash"
#define BEYOND "has bits set behind its prefix; write the first address of the network"

Test(network, what_is_one_and_what_is_wrong_with_what_is_none)
{
    static const struct {
        const char *text, *problem;
        uint8_t len, bits;
    } cases[] = {
        {"10.0.0.0/8", NULL, 4, 8},
        {"0.0.0.0/0", NULL, 4, 0},
        {"192.0.2.1", NULL, 4, 32},
        {"192.0.2.128/25", NULL, 4, 25},
        {"::1", NULL, 16, 128},
        {"2001:db8::/32", NULL, 16, 32},
        {"::/0", NULL, 16, 0},
        {"::ffff:10.0.0.0/104", NULL, 4, 8},
        {"::ffff:10.0.0.1", NULL, 4, 32},
        {"unix", NULL, 0, 0},
        {"", NO_ADDRESS, 0, 0},
        {"/", NO_ADDRESS, 0, 0},
        {"/8", NO_ADDRESS, 0, 0},
        {"10/8", NO_ADDRESS, 0, 0},
        {"10.0.0/8", NO_ADDRESS, 0, 0},
        {"10.0.0.256", NO_ADDRESS, 0, 0},
        {"010.0.0.0/8", NO_ADDRESS, 0, 0},
        {"10.0.0.0 /8", NO_ADDRESS, 0, 0},
        {" 10.0.0.0/8", NO_ADDRESS, 0, 0},
        {"[::1]", NO_ADDRESS, 0, 0},
        {"fe80::1%eth0", NO_ADDRESS, 0, 0},
        {"localhost", NO_ADDRESS, 0, 0},
        {"Unix", NO_ADDRESS, 0, 0},
        {"1111:2222:3333:4444:5555:6666:255.255.255.255.255", NO_ADDRESS, 0, 0},
        {"10.0.0.0/", BITS_4, 0, 0},
        {"10.0.0.0/33", BITS_4, 0, 0},
        {"10.0.0.0/-1", BITS_4, 0, 0},
        {"10.0.0.0/8 ", BITS_4, 0, 0},
        {"10.0.0.0/255.0.0.0", BITS_4, 0, 0},
        {"10.0.0.0/18446744073709551624", BITS_4, 0, 0},
        {"::1/129", BITS_6, 0, 0},
        {"10.0.0.1/8", BEYOND, 0, 0},
        {"192.0.2.129/25", BEYOND, 0, 0},
        {"2001:db8::1/64", BEYOND, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_network network;
        const char *problem = bp_network_parse(bp_str_of(cases[i].text), &network);
        if (cases[i].problem) {
            cr_assert(problem, "%s", cases[i].text);
            cr_assert_str_eq(problem, cases[i].problem, "%s", cases[i].text);
            continue;
        }
        cr_assert_null(problem, "%s: %s", cases[i].text, problem);
        cr_assert_eq(network.address.len, cases[i].len, "%s", cases[i].text);
        cr_assert_eq(network.bits, cases[i].bits, "%s", cases[i].text);
    }
}

Test(network, what_it_holds)
{
    static const struct {
        const char *network, *address;
        bool holds;
    } cases[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.255", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "10.0.0.1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"::ffff:0:0/96", "10.1.2.3", true},
        {"unix", "10.1.2.3", false},
    };
    struct bp_network network;
    struct bp_address address;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_null(bp_network_parse(bp_str_of(cases[i].network), &network));
        cr_assert(bp_address_parse(bp_str_of(cases[i].address), &address));
        cr_assert_eq(bp_network_holds(&network, bp_str_n((char *)address.bytes, address.len)), cases[i].holds,
                     "%s in %s", cases[i].address, cases[i].network);
    }
    cr_assert_null(bp_network_parse(BP_STR("unix"), &network));
    cr_assert(bp_network_holds(&network, BP_STR("")));
    cr_assert_not(bp_networks_hold(&network, 1, bp_str_n("\x7f\0\0\1", 4)));
    cr_assert_not(bp_networks_hold(NULL, 0, BP_STR("")));
}

Test(network, addresses)
{
    static const char *const none[] = {"",      "1", "1.2.3",  "1.2.3.4.5", "1.2.3.4:80",
                                       "[::1]", ":", "::1%lo", "unknown",   "1.2.3.4\n"};
    struct bp_address address;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        cr_assert_not(bp_address_parse(bp_str_of(none[i]), &address), "%s", none[i]);
    cr_assert_not(bp_address_parse(bp_str_n("1.2.3.4\0", 8), &address));
    address = bp_address_of(bp_str_n("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16));
    cr_assert_eq(address.len, 4);
    cr_assert_eq(memcmp(address.bytes, "\x7f\0\0\1", 4), 0);
    cr_assert_eq(bp_address_of(BP_STR("")).len, 0);
}
