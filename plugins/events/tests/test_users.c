/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "users.h"

/* More than there are places at first. */
Test(users, come_and_go)
{
    enum { COUNT = 1000 };
    static struct user *known[COUNT];
    static bp_uuid ids[COUNT];
    struct users users = {.count = 0};
    cr_assert_eq(users_init(&users), 0);
    for (size_t i = 0; i < COUNT; i++) {
        ids[i] = bp_uuid_new();
        cr_expect_null(users_find(&users, &ids[i]));
        known[i] = users_take(&users, &ids[i]);
        cr_assert(known[i] && bp_uuid_eq(&known[i]->id, &ids[i]));
    }
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_eq(users_take(&users, &ids[i]), known[i]);
        cr_assert_eq(users_find(&users, &ids[i]), known[i]);
    }
    cr_expect_eq(users.count, COUNT);
    cr_expect_gt(users.mask, 64);
    for (size_t i = 0; i < COUNT; i += 2)
        users_drop(&users, known[i]);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(users_find(&users, &ids[i]), i % 2 ? known[i] : NULL);
    for (size_t i = 1; i < COUNT; i += 2)
        users_drop(&users, known[i]);
    cr_expect_eq(users.count, 0);
    users_deinit(&users);
}
