/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "ask.h"
#include "flights.h"

Test(idempotency, texts_for_the_database)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool text;
    } cases[] = {{"", 0, true},
                 {"plain", 5, true},
                 {"\0", 1, false},
                 {"\xc3\xbc", 2, true},
                 {"\xc3", 1, false},
                 {"\xc3x", 2, false},
                 {"\xc0\x80", 2, false},
                 {"\xe2\x82\xac", 3, true},
                 {"\xe0\x9f\xbf", 3, false},
                 {"\xed\x9f\xbf", 3, true},
                 {"\xed\xa0\x80", 3, false},
                 {"\xf0\x9f\x98\x80", 4, true},
                 {"\xf0\x8f\xbf\xbf", 4, false},
                 {"\xf4\x8f\xbf\xbf", 4, true},
                 {"\xf4\x90\x80\x80", 4, false},
                 {"\xf5\x80\x80\x80", 4, false},
                 {"\x80", 1, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(ask_is_text(bp_str_n(cases[i].bytes, cases[i].len)), cases[i].text, "%zu", i);
}

Test(idempotency, keys)
{
    static const struct {
        const char *field, *key; /* NULL: refused */
    } cases[] = {{"a", "a"}, {"\"a\"", "a"}, {"\"a", "\"a"}, {"\"", "\""},   {"\"\"", NULL},
                 {"", NULL}, {"a b", NULL},  {"\x7f", NULL}, {"\xc3", NULL}, {"!~", "!~"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str key;
        bool good = ask_key(bp_str_of(cases[i].field), &key);
        cr_expect_eq(good, cases[i].key != NULL, "%zu", i);
        if (good && cases[i].key)
            cr_expect(bp_str_is(key, cases[i].key), "%zu", i);
    }
}

Test(idempotency, flights)
{
    static struct flights flights;
    uint32_t cell = 9999, other = 9999;
    cr_expect_eq(flights_take(&flights, 7, 0, &cell), 0);
    cr_expect_eq(cell, 0);
    cr_expect_eq(flights_take(&flights, 7, 1, &other), FLIGHTS_E_TAKEN);
    cr_expect_eq(other, 9999);
    cr_expect_eq(flights_take(&flights, 0, 1, &other), 0);
    cr_expect_eq(other, 1);
    cr_expect_eq(flights_take(&flights, 0, 1, &other), FLIGHTS_E_TAKEN);
    flights_give_back(&flights, cell);
    cr_expect_eq(flights_take(&flights, 7, 0, &cell), 0);
    /* Worker 1 has died; what worker 0 has stays. */
    flights_forget(&flights, 1);
    cr_expect_eq(flights_take(&flights, 0, 2, &other), 0);
    cr_expect_eq(flights_take(&flights, 7, 2, &cell), FLIGHTS_E_TAKEN);
    /* When all are in use a request goes without one. */
    for (uint64_t key = 100; key < 100 + FLIGHTS_CELLS - 2; key++)
        cr_assert_eq(flights_take(&flights, key, 3, &other), 0);
    cr_expect_eq(flights_take(&flights, 5000, 3, &other), 0);
    cr_expect_eq(other, FLIGHTS_CELLS);
    flights_give_back(&flights, other);
    flights_forget(&flights, 3);
    cr_expect_eq(flights_take(&flights, 5000, 3, &other), 0);
    cr_expect_lt(other, FLIGHTS_CELLS);
}
