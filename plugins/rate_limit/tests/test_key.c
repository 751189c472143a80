/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "key.h"
#include "match.h"

Test(key, what_an_option_says)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t count;
        enum key_part first, last;
        const char *header;
    } cases[] = {
        {"ip", true, 1, KEY_IP, KEY_IP, NULL},
        {"user", true, 1, KEY_USER, KEY_USER, NULL},
        {"api_key", true, 1, KEY_API_KEY, KEY_API_KEY, NULL},
        {"route", true, 1, KEY_ROUTE, KEY_ROUTE, NULL},
        {"header:x-tenant", true, 1, KEY_HEADER, KEY_HEADER, "x-tenant"},
        {"ip+route", true, 2, KEY_IP, KEY_ROUTE, NULL},
        {"user+route+ip+header:a", true, 4, KEY_USER, KEY_HEADER, "a"},
        {"", false, 0, KEY_IP, KEY_IP, NULL},
        {"+", false, 0, KEY_IP, KEY_IP, NULL},
        {"ip+", false, 0, KEY_IP, KEY_IP, NULL},
        {"+ip", false, 0, KEY_IP, KEY_IP, NULL},
        {"ip + route", false, 0, KEY_IP, KEY_IP, NULL},
        {"IP", false, 0, KEY_IP, KEY_IP, NULL},
        {"cookie", false, 0, KEY_IP, KEY_IP, NULL},
        {"header:", false, 0, KEY_IP, KEY_IP, NULL},
        {"header:X-Tenant", false, 0, KEY_IP, KEY_IP, NULL},
        {"header:a b", false, 0, KEY_IP, KEY_IP, NULL},
        {"ip+ip+ip+ip+ip", false, 0, KEY_IP, KEY_IP, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key key;
        cr_assert_eq(key_parse(bp_str_of(cases[i].text), &key), cases[i].good, "%s", cases[i].text);
        if (!cases[i].good)
            continue;
        cr_assert_eq(key.count, cases[i].count, "%s", cases[i].text);
        cr_assert_eq(key.parts[0].part, cases[i].first, "%s", cases[i].text);
        cr_assert_eq(key.parts[key.count - 1].part, cases[i].last, "%s", cases[i].text);
        cr_assert_eq(key_has(&key, KEY_USER), strstr(cases[i].text, "user") != NULL);
        if (cases[i].header)
            cr_assert(bp_str_is(key.parts[key.count - 1].header, cases[i].header), "%s", cases[i].text);
    }
}

Test(key, an_address_counts_as_its_subscriber)
{
    static const struct {
        const char *a, *b;
        size_t len_a, len_b;
        uint32_t prefix;
        bool same;
    } cases[] = {
        {"\x7f\0\0\1", "\x7f\0\0\1", 4, 4, 64, true},
        {"\x7f\0\0\1", "\x7f\0\0\2", 4, 4, 64, false},
        {"\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\1", "\x20\x01\xd\xb8\0\0\0\1\xff\1\2\3\4\5\6\7", 16, 16, 64, true},
        {"\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\1", "\x20\x01\xd\xb8\0\0\0\2\0\0\0\0\0\0\0\1", 16, 16, 64, false},
        {"\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\1", "\x20\x01\xd\xb8\0\0\0\2\0\0\0\0\0\0\0\1", 16, 16, 48, true},
        {"\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\1", "\x20\x01\xd\xb8\0\0\0\2\0\0\0\0\0\0\0\1", 16, 16, 62, true},
        {"\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\1", "\x20\x01\xd\xb8\0\0\0\2\0\0\0\0\0\0\0\1", 16, 16, 63, false},
        {"\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\1", "\x20\x01\xd\xb8\0\0\0\1\0\0\0\0\0\0\0\2", 16, 16, 128, false},
        {"", "", 0, 0, 64, true},
        {"", "\x7f\0\0\1", 0, 4, 64, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key_name a = {.len = 0}, b = {.len = 0};
        key_add_address(&a, bp_str_n(cases[i].a, cases[i].len_a), cases[i].prefix);
        key_add_address(&b, bp_str_n(cases[i].b, cases[i].len_b), cases[i].prefix);
        cr_assert_eq(bp_str_eq(bp_str_n(a.bytes, a.len), bp_str_n(b.bytes, b.len)), cases[i].same, "case %zu", i);
    }
}

Test(key, names_are_told_apart_and_secrets_are_not_in_them)
{
    static const char secret[] = "sk_live_0123456789abcdef";
    struct key_name a = {.len = 0}, b = {.len = 0}, full = {.len = 0};
    char digits[2][KEY_DIGITS];

    key_add_text(&a, KEY_API_KEY, BP_STR("sk_live_0123456789abcdef"));
    key_add_text(&b, KEY_HEADER, BP_STR("sk_live_0123456789abcdef"));
    cr_assert_null(memmem(a.bytes, a.len, secret, 4));
    cr_assert_not(bp_str_eq(bp_str_n(a.bytes, a.len), bp_str_n(b.bytes, b.len)), "the same text in another place");
    key_digest(bp_str_n(a.bytes, a.len), digits[0]);
    key_digest(bp_str_n(b.bytes, b.len), digits[1]);
    cr_assert_neq(memcmp(digits[0], digits[1], KEY_DIGITS), 0);
    for (size_t i = 0; i < KEY_DIGITS; i++)
        cr_assert(strchr("0123456789abcdef", digits[0][i]));
    for (uint32_t i = 0; i < KEY_PARTS; i++)
        key_add_bytes(&full, KEY_USER, "0123456789abcdef0123456789abcdef", 32);
    cr_assert_leq(full.len, LIMITER_CLIENT_MAX);
}

Test(match, what_it_means)
{
    static const struct {
        const char *text, *problem, *method, *path, *route;
        bool fits;
    } cases[] = {
        {"/a", NULL, "GET", "/a", "/a", true},
        {"/a", NULL, "POST", "/a", "", true},
        {"/a", NULL, "GET", "/ab", "", false},
        {"/a*", NULL, "GET", "/ab", "", true},
        {"/a/*", NULL, "GET", "/a", "", false},
        {"/*", NULL, "GET", "/a/b", "", true},
        {"POST /a/*", NULL, "POST", "/a/b", "", true},
        {"POST /a/*", NULL, "GET", "/a/b", "", false},
        {"GET /todos/{id}", NULL, "GET", "/todos/7", "/todos/{id}", true},
        {"GET /todos/{id}", NULL, "GET", "/todos/7", "/todos", false},
        {"", "must be a path that begins with a slash, with a method before it or without", "", "", "", false},
        {"a", "must be a path that begins with a slash, with a method before it or without", "", "", "", false},
        {"GET", "must be a path that begins with a slash, with a method before it or without", "", "", "", false},
        {"GET  /a", "must be a path that begins with a slash, with a method before it or without", "", "", "", false},
        {" /a", "begins with a space", "", "", "", false},
        {"get /a", "must name the method in capital letters, as in \"POST /path\"", "", "", "", false},
        {"/a*b", "may have one star, at its end", "", "", "", false},
        {"/a**", "may have one star, at its end", "", "", "", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct match match;
        const char *problem = match_parse(bp_str_of(cases[i].text), &match);
        if (cases[i].problem) {
            cr_assert(problem, "%s", cases[i].text);
            cr_assert_str_eq(problem, cases[i].problem, "%s", cases[i].text);
            continue;
        }
        cr_assert_null(problem, "%s: %s", cases[i].text, problem);
        cr_assert_eq(
            match_fits(&match, bp_str_of(cases[i].method), bp_str_of(cases[i].path), bp_str_of(cases[i].route)),
            cases[i].fits, "%s: %s %s", cases[i].text, cases[i].method, cases[i].path);
    }
}
