/* SPDX-License-Identifier: MIT */
/* The row that a field becomes: bounds, and what clients may leave out. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "definition.h"

#define NAME .name = {"a", 1}, .since = 1
#define NONE .min = BOUND_NONE, .max = BOUND_NONE

static const struct {
    struct field_option field;
    int64_t min, max;
    uint16_t type, flags;
} rows[] = {
    {{NAME, NONE, .type = FIELD_BOOL}, 0, 0, BP_TYPE_BOOL, BP_NULLABLE},
    {{NAME, NONE, .type = FIELD_BOOL, .def = {"true", 4}}, 0, 0, BP_TYPE_BOOL, 0},
    {{NAME, NONE, .type = FIELD_INTEGER, .required = true, .filter = true}, 0, 0, BP_TYPE_I64, BP_REQUIRED | BP_FILTER},
    {{NAME, .min = 0, .max = BOUND_NONE, .type = FIELD_INTEGER}, 0, INT64_MAX, BP_TYPE_I64, BP_NULLABLE},
    {{NAME, .min = BOUND_NONE, .max = 0, .type = FIELD_INTEGER}, INT64_MIN, 0, BP_TYPE_I64, BP_NULLABLE},
    {{NAME, .min = -1, .max = 1, .type = FIELD_NUMBER, .sort = true}, -1, 1, BP_TYPE_F64, BP_NULLABLE | BP_SORT},
    {{NAME, NONE, .type = FIELD_TEXT}, 0, 1000, BP_TYPE_TEXT, BP_NULLABLE},
    {{NAME, NONE, .type = FIELD_TEXT, .required = true, .trim = true}, 1, 1000, BP_TYPE_TEXT, BP_REQUIRED | BP_TRIM},
    {{NAME, .min = 0, .max = 5, .type = FIELD_TEXT, .required = true, .lower = true},
     0,
     5,
     BP_TYPE_TEXT,
     BP_REQUIRED | BP_LOWER},
    {{NAME, .min = 2000, .max = BOUND_NONE, .type = FIELD_TEXT}, 2000, 2000, BP_TYPE_TEXT, BP_NULLABLE},
    {{NAME, NONE, .type = FIELD_DATE, .trim = true, .lower = true}, 0, 0, BP_TYPE_DATE, BP_NULLABLE},
    {{NAME, NONE, .type = FIELD_UUID}, 0, 0, BP_TYPE_UUID, BP_NULLABLE},
    {{NAME, NONE, .type = FIELD_TEXTS, .item_max = 7}, 0, 100, BP_TYPE_ARRAY, BP_NULLABLE},
    {{NAME, .min = 1, .max = 3, .type = FIELD_TEXTS, .item_max = 7}, 1, 3, BP_TYPE_ARRAY, BP_NULLABLE},
};

Test(rows, bounds_and_flags)
{
    struct definition *definition = calloc(1, sizeof(*definition));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_field row;
        cr_assert(definition_row(&rows[i].field, definition, i, &row));
        cr_expect_str_eq(row.name, "a");
        cr_expect_eq(row.min, rows[i].min, "%zu: %lld", i, (long long)row.min);
        cr_expect_eq(row.max, rows[i].max, "%zu: %lld", i, (long long)row.max);
        cr_expect_eq(row.type, rows[i].type, "%zu: %u", i, row.type);
        cr_expect_eq(row.flags, rows[i].flags, "%zu: %u", i, row.flags);
        if (row.type == BP_TYPE_ARRAY) {
            cr_expect_eq(row.item_size, sizeof(bp_str));
            cr_expect_eq(row.sub[0].max, 7);
            cr_expect_str_eq(row.sub[0].name, "");
            cr_expect_eq(row.sub[1].type, BP_TYPE_END);
        }
        free((char *)(uintptr_t)row.name);
        free((char *)(uintptr_t)row.def);
    }
    free(definition);
}
