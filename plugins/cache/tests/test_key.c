/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>

#include "key.h"

struct part {
    char kind;
    const char *name, *value;
};

static struct digest digest_of(const struct part *parts, size_t count, bool shared)
{
    static const uint8_t secret[16] = "a secret of ours";
    struct digest digest;
    struct key key;
    key_begin(&key);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].kind == 'a')
            key_add_normalized(&key, 'a', bp_str_of(parts[i].name), bp_str_of(parts[i].value));
        else
            key_add(&key, parts[i].kind, bp_str_of(parts[i].name), bp_str_of(parts[i].value));
    }
    cr_assert_not(key.overflowed);
    if (shared)
        key_digest_shared(&key, &digest);
    else
        key_digest(&key, secret, &digest);
    return digest;
}

Test(key, parts_do_not_run_together)
{
    static const struct {
        struct part a[2], b[2];
        bool same;
    } cases[] = {
        {{{'i', "u1", "user"}, {'/', "", "/x"}}, {{'i', "u1", "user"}, {'/', "", "/x"}}, true},
        {{{'i', "u1", "user"}, {'/', "", "/x"}}, {{'i', "u2", "user"}, {'/', "", "/x"}}, false},
        {{{'i', "u1", "user"}, {'/', "", "/x"}}, {{'i', "u1", "admin"}, {'/', "", "/x"}}, false},
        {{{'i', "u1", "user"}, {'/', "", "/x"}}, {{'i', "u1us", "er"}, {'/', "", "/x"}}, false},
        {{{'/', "", "/x"}, {'p', "a", "b"}}, {{'/', "", "/x"}, {'p', "ab", ""}}, false},
        {{{'/', "", "/x"}, {'p', "a", ""}}, {{'/', "", "/x"}, {'f', "a", ""}}, false},
        {{{'/', "", "/x"}, {'a', "", "text/html, */*;q=0.1"}},
         {{'/', "", "/x"}, {'a', "", "TEXT/html,*/*; Q=0.1"}},
         true},
        {{{'/', "", "/x"}, {'f', "lang", "de"}}, {{'/', "", "/x"}, {'f', "lang", "DE"}}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int shared = 0; shared < 2; shared++) {
            struct digest a = digest_of(cases[i].a, 2, shared), b = digest_of(cases[i].b, 2, shared);
            cr_expect_eq(memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0, cases[i].same, "case %zu, shared %d", i,
                         shared);
        }
}

Test(key, too_long_is_no_key)
{
    static char text[KEY_MAX + 2];
    struct key key;
    memset(text, 'x', sizeof(text));
    key_begin(&key);
    key_add(&key, '/', BP_STR(""), bp_str_n(text, KEY_MAX - 9));
    cr_expect_not(key.overflowed, "it just fits");
    key_add(&key, '/', BP_STR(""), BP_STR(""));
    cr_expect(key.overflowed);
    const size_t lens[] = {KEY_MAX - 8, KEY_MAX, KEY_MAX + 1};
    for (size_t i = 0; i < 3; i++) {
        key_begin(&key);
        key_add(&key, '/', BP_STR(""), bp_str_n(text, lens[i]));
        cr_expect(key.overflowed, "%zu", lens[i]);
    }
    key_begin(&key);
    key_add_normalized(&key, 'a', BP_STR(""), bp_str_n(text, 513));
    cr_expect(key.overflowed);
}

Test(key, lists_of_names)
{
    static const struct {
        const char *list, *name;
        bool listed;
    } cases[] = {{"", "a", false},
                 {"a", "a", true},
                 {"page, limit", "limit", true},
                 {" Page ,limit", "page", true},
                 {"pages", "page", false},
                 {",,a,", "a", true},
                 {",", "", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(key_listed(bp_str_of(cases[i].list), bp_str_of(cases[i].name)), cases[i].listed, "%s in %s",
                     cases[i].name, cases[i].list);
}
