/* SPDX-License-Identifier: MIT */
/* Tables themselves: their mistakes, names, look-ups. */
#include "core/schema/table.h"
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char *const none[] = {NULL};

Test(table, mistakes)
{
    static const struct bp_field bad_default[] = {{.name = "a", .type = BP_TYPE_U32, .def = "x"}, BP_END};
    static const struct bp_field low_default[] = {{.name = "a", .type = BP_TYPE_U32, .def = "0", .min = 1, .max = 5},
                                                  BP_END};
    static const struct bp_field text_default[] = {{.name = "a", .type = BP_TYPE_TEXT, .def = "abc", .max = 2}, BP_END};
    static const struct bp_field both[] = {{.name = "a", .type = BP_TYPE_U32, .def = "1", .flags = BP_REQUIRED},
                                           BP_END};
    static const struct bp_field type[] = {{.name = "a", .type = 99}, BP_END};
    static const struct bp_field choices[] = {{.name = "a", .type = BP_TYPE_CHOICE}, BP_END};
    static const struct bp_field no_choices[] = {{.name = "a", .type = BP_TYPE_CHOICE, .choices = none}, BP_END};
    static const struct bp_field sub[] = {{.name = "a", .type = BP_TYPE_OBJECT}, BP_END};
    static const struct bp_field size[] = {{.name = "a", .type = BP_TYPE_ARRAY, .sub = todo_body}, BP_END};
    static const struct bp_field bounds[] = {{.name = "a", .type = BP_TYPE_I64, .min = 5, .max = 4}, BP_END};
    static const struct bp_field array_default[] = {
        {.name = "a", .type = BP_TYPE_ARRAY, .sub = todo_body, .item_size = 8, .def = "1"}, BP_END};
    static const struct bp_field twins[] = {
        {.name = "a_b", .type = BP_TYPE_BOOL}, {.name = "aB", .type = BP_TYPE_BOOL}, BP_END};
    static const struct bp_field late[] = {
        {.name = "a", .type = BP_TYPE_BOOL}, {.name = "", .type = BP_TYPE_PRESENCE}, BP_END};
    static const struct bp_field nameless[] = {
        {.name = "a", .type = BP_TYPE_BOOL}, {.name = "", .type = BP_TYPE_BOOL}, BP_END};
    static const struct bp_field missing[] = {{.name = NULL, .type = BP_TYPE_BOOL}, BP_END};
    static const struct bp_field nested[] = {{.name = "a", .type = BP_TYPE_OBJECT, .sub = bad_default}, BP_END};
    static const struct {
        const struct bp_field *rows;
        const char *error;
    } cases[] = {
        {bad_default, "row \"a\" has a default that is no legal value"},
        {low_default, "row \"a\" has a default that is no legal value"},
        {text_default, "row \"a\" has a default that is too short, too long or no UTF-8"},
        {both, "row \"a\" is required and has a default"},
        {type, "row \"a\" has an unknown type"},
        {choices, "row \"a\" has no choices"},
        {no_choices, "row \"a\" has no choices"},
        {sub, "row \"a\" has no sub-table"},
        {size, "row \"a\" has no item size"},
        {bounds, "row \"a\" has a minimum above its maximum"},
        {array_default, "row \"a\" has a default, which objects and arrays cannot have"},
        {twins, "row \"aB\" has the JSON name of an earlier row"},
        {late, "row \"\" comes after the first"},
        {nameless, "row \"\" is nameless, which only the single row of an array's values may be"},
        {missing, "row \"\" has no name"},
        {nested, "row \"a\" has a default that is no legal value"},
        {todo_body, NULL},
        {account_body, NULL},
        {scalars, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *error = schema_check(cases[i].rows);
        cr_expect(error == cases[i].error || (error && cases[i].error && strcmp(error, cases[i].error) == 0), "%zu: %s",
                  i, error);
    }
}

/* 65 rows under BP_PRESENCE; without it they are fine. */
Test(table, presence_has_64_bits)
{
    static struct bp_field rows[67];
    static char names[65][16];
    struct object {
        uint64_t set, null;
        bool flag;
    };
    rows[0] = (struct bp_field)BP_PRESENCE(struct object, set, null);
    for (int i = 0; i < 65; i++) {
        snprintf(names[i], sizeof(names[i]), "f%d", i);
        rows[i + 1] =
            (struct bp_field){.name = names[i], .type = BP_TYPE_BOOL, .offset = offsetof(struct object, flag)};
    }
    cr_expect_null(schema_check(rows + 1));
    cr_expect_str_eq(schema_check(rows), "row \"f64\" is the 65th of a table with BP_PRESENCE, which has 64 bits");
}

Test(table, names)
{
    static const struct {
        struct bp_field row;
        const char *json, *label;
    } cases[] = {
        {{.name = "title", .type = BP_TYPE_BOOL}, "title", "Title"},
        {{.name = "created_at", .type = BP_TYPE_BOOL}, "createdAt", "Created at"},
        {{.name = "a_b_c", .type = BP_TYPE_BOOL}, "aBC", "A BC"},
        {{.name = "line_2", .type = BP_TYPE_BOOL}, "line2", "Line2"},
        {{.name = "_x", .type = BP_TYPE_BOOL}, "_x", " x"},
        {{.name = "x", .json = "userID", .type = BP_TYPE_BOOL}, "userID", "User ID"},
        {{.name = "x", .json = "priority[gte]", .type = BP_TYPE_BOOL}, "priority[gte]", "Priority[gte]"},
        {{.name = "due_at", .label = "Deadline", .type = BP_TYPE_BOOL}, "dueAt", "Deadline"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str json = schema_json_name(&cases[i].row);
        cr_expect(bp_str_is(json, cases[i].json), "%s", json.ptr);
        cr_expect(bp_str_is(column_of(&cases[i].row)->label, cases[i].label), "%s",
                  column_of(&cases[i].row)->label.ptr);
        cr_expect_eq(schema_json_name(&cases[i].row).ptr, json.ptr); /* remembered */
    }
}

/* More tables than the first map has places for. */
Test(table, cache_grows)
{
    static struct bp_field rows[500][2];
    const struct table *tables[500];
    for (int i = 0; i < 500; i++) {
        rows[i][0] = (struct bp_field){.name = "a", .type = BP_TYPE_BOOL};
        tables[i] = table_of(rows[i]);
        cr_assert(tables[i] && tables[i]->rows == rows[i] && tables[i]->count == 1);
    }
    for (int i = 0; i < 500; i++)
        cr_assert_eq(table_of(rows[i]), tables[i]);
}

Test(table, find)
{
    cr_expect_eq(schema_find(scalars, BP_STR("due_at")), &scalars[10]);
    cr_expect_null(schema_find(scalars, BP_STR("dueAt")));
    cr_expect_null(schema_find(scalars, BP_STR("")));
    cr_expect_null(schema_find(scalars, BP_STR("coun")));
}

Test(table, nearest)
{
    static const char *const names[] = {"quota", "window", "key", "max_connections", "address"};
    static const struct {
        const char *name, *nearest;
    } cases[] = {
        {"quotta", "quota"},
        {"qutoa", "quota"},
        {"quota", "quota"},
        {"windw", "window"},
        {"windows", "window"},
        {"max_conections", "max_connections"},
        {"maximum_connections", "max_connections"},
        {"adress", "address"},
        {"kye", "key"},
        {"burst", NULL},
        {"xyz", NULL},
        {"", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *nearest = nearest_name(bp_str_of(cases[i].name), names, sizeof(names) / sizeof(names[0]));
        cr_expect(nearest == cases[i].nearest ||
                      (nearest && cases[i].nearest && strcmp(nearest, cases[i].nearest) == 0),
                  "%s: %s", cases[i].name, nearest ? nearest : "none");
    }
    cr_expect_str_eq(schema_nearest(scalars, BP_STR("colour")), "color");
    cr_expect_str_eq(schema_nearest(scalars, BP_STR("duea_t")), "due_at");
    cr_expect_null(schema_nearest(scalars, BP_STR("unrelated")));
}
