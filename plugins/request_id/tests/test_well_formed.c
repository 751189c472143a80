/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "well_formed.h"

Test(well_formed, table)
{
    char longest[REQUEST_ID_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    cr_expect(request_id_well_formed(bp_str_n(longest, REQUEST_ID_MAX)));
    cr_expect_not(request_id_well_formed(bp_str_n(longest, REQUEST_ID_MAX + 1)));
    cr_expect_not(request_id_well_formed(bp_str_n(NULL, 0)));
    cr_expect(request_id_well_formed(BP_STR("a")));
    cr_expect(request_id_well_formed(BP_STR("AZaz09._-")));
}

Test(well_formed, every_byte)
{
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        bool fine = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", c) && c;
        cr_expect_eq(request_id_well_formed(bp_str_n(&byte, 1)), fine, "byte %d", c);
    }
}
