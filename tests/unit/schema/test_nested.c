/* SPDX-License-Identifier: MIT */
/* Objects in objects, arrays of objects and of bare values. */
#include "core/base/arena.h"
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>

struct item {
    bp_str name;
    uint32_t amount;
};
struct place {
    bp_str city;
    bool home;
};
struct order {
    uint64_t set, null;
    struct bp_array items, tags, parts;
    struct place place;
};
/* A tree: a table that holds arrays of itself. */
struct node {
    uint32_t value;
    struct bp_array nodes;
};

static const struct bp_field item_rows[] = {BP_TEXT(struct item, name, .flags = BP_REQUIRED, .min = 1, .max = 10),
                                            BP_U32(struct item, amount, .def = "1", .min = 1, .max = 9), BP_END};
static const struct bp_field place_rows[] = {
    BP_TEXT(struct place, city, .flags = BP_REQUIRED, .json = "ci/t~y", .label = "City"),
    BP_BOOL(struct place, home, .def = "true"), BP_END};
static const struct bp_field tag_rows[] = {{.name = "", .type = BP_TYPE_TEXT, .min = 1, .max = 5}, BP_END};
static void check_parts(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    const struct bp_array *parts = value;
    const int64_t *numbers = parts->ptr;
    if (parts->len > 1 && numbers[0] == numbers[1])
        bp_problem_add(problems, row, "parts.twins", "Parts must differ");
}
static const struct bp_field part_rows[] = {{.name = "", .type = BP_TYPE_I64, .label = "Part"}, BP_END};
static const struct bp_field order_rows[] = {
    BP_PRESENCE(struct order, set, null),
    BP_ARRAY(struct order, items, struct item, item_rows, .flags = BP_REQUIRED, .min = 1, .max = 3),
    BP_ARRAY(struct order, tags, bp_str, tag_rows, .min = 2, .max = 4),
    BP_ARRAY(struct order, parts, int64_t, part_rows, .check = check_parts),
    BP_OBJECT(struct order, place, place_rows, .flags = BP_NULLABLE),
    BP_END};
static const struct bp_field node_rows[] = {BP_U32(struct node, value),
                                            BP_ARRAY(struct node, nodes, struct node, node_rows), BP_END};

static int decode(const char *json, struct bp_arena *arena, struct order *order, struct bp_problems *problems)
{
    problems_init(problems, arena);
    return schema_decode_json(order_rows, bp_str_of(json), arena, order, problems);
}

Test(nested, values)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct order order;
    cr_assert_eq(decode("{\"items\":[{\"name\":\"a\"},{\"name\":\"b\",\"amount\":9}],\"tags\":[\"x\",\"y\"],\"parts\":["
                        "],\"place\":{\"ci/t~y\":\"Oslo\"}}",
                        arena, &order, &problems),
                 0, "%s", problems_text(&problems));
    const struct item *items = order.items.ptr;
    const bp_str *tags = order.tags.ptr;
    cr_assert_eq(order.items.len, 2);
    cr_expect(bp_str_is(items[0].name, "a") && items[0].amount == 1);
    cr_expect(bp_str_is(items[1].name, "b") && items[1].amount == 9);
    cr_assert_eq(order.tags.len, 2);
    cr_expect(bp_str_is(tags[0], "x") && bp_str_is(tags[1], "y"));
    cr_expect_eq(order.parts.len, 0);
    cr_expect(bp_is_set(order_rows, &order, "parts"));
    cr_expect(bp_str_is(order.place.city, "Oslo") && order.place.home);
    cr_expect_str_eq(
        encoded(order_rows, &order),
        "{\"items\":[{\"name\":\"a\",\"amount\":1},{\"name\":\"b\",\"amount\":9}],\"tags\":[\"x\",\"y\"],\"parts\":[],"
        "\"place\":{\"ci/t~y\":\"Oslo\",\"home\":true}}");
    arena_free(arena);
}

Test(nested, problems_say_where)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"{}", "items /items required: Items is required\n"},
        {"{\"items\":{}}", "items /items required: Items is required\n"},
        {"{\"items\":[]}", "items /items too_short: Items cannot be empty\n"},
        {"{\"items\":[1,2,3,4]}", "items /items too_long: Items must have at most 3 items\n"},
        {"{\"items\":[{\"name\":\"a\"},5,{\"amount\":0}]}",
         "items[1] /items/1 invalid: Item must be an object\n"
         "items[2].name /items/2/name required: Name is required\n"
         "items[2].amount /items/2/amount out_of_range: Amount must be an integer from 1 to 9\n"},
        {"{\"items\":[{\"name\":\"a\"}],\"tags\":[\"x\"]}", "tags /tags too_short: Tags must have at least 2 items\n"},
        {"{\"items\":[{\"name\":\"a\"}],\"tags\":\"x\"}",
         "tags /tags invalid: Tags must be an array of 2 to 4 items\n"},
        {"{\"items\":[{\"name\":\"a\"}],\"tags\":[\"\",\"toolong\",null,7]}",
         "tags[0] /tags/0 too_short: Item cannot be empty\n"
         "tags[1] /tags/1 too_long: Item must be less than 5 characters\n"
         "tags[2] /tags/2 required: Item is required\n"
         "tags[3] /tags/3 required: Item is required\n"},
        {"{\"items\":[{\"name\":\"a\"}],\"parts\":[\"1\",2.5,3]}",
         "parts[0] /parts/0 invalid: Part must be an integer\n"
         "parts[1] /parts/1 invalid: Part must be an integer\n"},
        {"{\"items\":[{\"name\":\"a\"}],\"parts\":[7,7]}", "parts /parts parts.twins: Parts must differ\n"},
        {"{\"items\":[{\"name\":\"a\"}],\"place\":{}}", "place.ci/t~y /place/ci~1t~0y required: City is required\n"},
        {"{\"items\":[{\"name\":\"a\"}],\"place\":[]}", "place /place invalid: Place must be an object\n"},
    };
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_problems problems;
        struct order order;
        cr_expect_eq(decode(cases[i].json, arena, &order, &problems), SCHEMA_INVALID);
        cr_expect_str_eq(problems_text(&problems), cases[i].text, "%s gives\n%s", cases[i].json,
                         problems_text(&problems));
    }
    arena_free(arena);
}

Test(nested, absent_object_has_its_defaults)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct order order;
    memset(&order, 0xff, sizeof(order));
    cr_assert_eq(decode("{\"items\":[{\"name\":\"a\"}],\"place\":null}", arena, &order, &problems), 0);
    cr_expect(order.place.home);
    cr_expect_eq(order.place.city.len, 0);
    cr_expect_eq(order.tags.len, 0);
    cr_expect(bp_is_null(order_rows, &order, "place"));
    cr_expect_str_eq(encoded(order_rows, &order), "{\"items\":[{\"name\":\"a\",\"amount\":1}],\"place\":null}");
    arena_free(arena);
}

Test(nested, trees)
{
    static const char json[] =
        "{\"value\":1,\"nodes\":[{\"value\":2,\"nodes\":[{\"value\":3,\"nodes\":[]}]},{\"value\":4,\"nodes\":[]}]}";
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct node node;
    cr_assert_null(schema_check(node_rows));
    problems_init(&problems, arena);
    cr_assert_eq(schema_decode_json(node_rows, bp_str_of(json), arena, &node, &problems), 0);
    cr_expect_str_eq(encoded(node_rows, &node), json);
    cr_expect_eq(
        schema_decode_json(node_rows, BP_STR("{\"nodes\":[{},{\"nodes\":[{\"value\":-1}]}]}"), arena, &node, &problems),
        SCHEMA_INVALID);
    cr_expect_str_eq(
        problems_text(&problems),
        "nodes[1].nodes[0].value /nodes/1/nodes/0/value out_of_range: Value must be an integer from 0 to 4294967295\n");
    arena_free(arena);
}

Test(nested, problems_are_bounded)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct node node;
    struct buffer json = {0};
    buffer_add(&json, BP_STR("{\"nodes\":[0"));
    for (int i = 0; i < 5000; i++)
        buffer_add(&json, BP_STR(",0"));
    buffer_add(&json, BP_STR("]}"));
    problems_init(&problems, arena);
    cr_expect_eq(schema_decode_json(node_rows, buffer_str(&json), arena, &node, &problems), SCHEMA_INVALID);
    cr_expect_eq(problems.len, PROBLEMS_MAX);
    buffer_deinit(&json);
    arena_free(arena);
}
