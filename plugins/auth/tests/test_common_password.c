/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "common_password.h"

Test(common_password, found)
{
    static const struct {
        const char *password;
        bool common;
    } cases[] = {
        {"password", true},  {"PassWord", true},    {"12345678", true}, {"!qaz2wsx", true},
        {"password1", true}, {"Passw0rd!x", false}, {"", false},        {"Correct-Horse-7", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(password_is_common(bp_str_of(cases[i].password)), cases[i].common, "%s", cases[i].password);
    cr_expect_not(password_is_common(bp_str_n("password\0x", 10)));
}
