/* SPDX-License-Identifier: MIT */
/* Who provides what for whom, and who starts first. */
#include <criterion/criterion.h>

#include "tests/plugins/trace.h"
#include "tests/plugins/world.h"

static const struct {
    const char *what, *config, *report, *order;
} cases[] = {
    {"the provider starts first, else as configured",
     "plugins: ({ use = \"taker\"; }, { use = \"card\"; }, { use = \"giver\"; });", "", "giver taker card "},
    {"an optional one that is not there", "plugins: ({ use = \"maybe\"; });", "", "maybe "},
    {"an optional one that is there", "plugins: ({ use = \"maybe\"; }, { use = \"giver\"; });", "", "giver maybe "},
    {"missing", "plugins: ({ use = \"card\"; },\n{ use = \"taker\"; });",
     "t.cfg:3: plugins.taker: needs the service \"thing\", which no instance provides\n", NULL},
    {"another version", "plugins: ({ use = \"giver\"; }, { use = \"newer_taker\"; });",
     "t.cfg:2: plugins.newer_taker: needs version 2 of the service \"thing\", \"giver\" provides version 1\n", NULL},
    {"ambiguous",
     "plugins: ({ use = \"giver\"; name = \"one\"; }, { use = \"giver\"; name = \"two\"; },\n{ use = \"taker\"; });",
     "t.cfg:3: plugins.taker: the service \"thing\" is provided by \"one\" and \"two\": choose with thing = \"one\"\n",
     NULL},
    {"chosen",
     "plugins: ({ use = \"taker\"; thing = \"two\"; }, { use = \"giver\"; name = \"one\"; },\n{ use = \"giver\"; name "
     "= "
     "\"two\"; });",
     "", "two taker one "},
    {"chosen, but nobody has the name",
     "plugins: ({ use = \"giver\"; name = \"main\"; }, { use = \"taker\";\n thing = \"mian\"; });",
     "t.cfg:3: plugins.taker.thing: no instance is named \"mian\"; did you mean \"main\"?\n", NULL},
    {"chosen, but it does not provide it", "plugins: ({ use = \"card\"; }, { use = \"taker\"; thing = \"card\"; });",
     "t.cfg:2: plugins.taker.thing: \"card\" does not provide the service \"thing\"\n", NULL},
    {"chosen, but of another version",
     "plugins: ({ use = \"giver\"; }, { use = \"newer_taker\"; thing = \"giver\"; });",
     "t.cfg:2: plugins.newer_taker.thing: version 2 of the service \"thing\" is needed, \"giver\" provides version 1\n",
     NULL},
    {"chosen, but itself", "plugins: ({ use = \"giver\"; }, { use = \"taker\"; thing = \"taker\"; });",
     "t.cfg:2: plugins.taker.thing: an instance cannot use itself\n", NULL},
    {"chosen, but no text", "plugins: ({ use = \"giver\"; }, { use = \"taker\"; thing = 3; });",
     "t.cfg:2: plugins.taker.thing: expected the name of an instance\n", NULL},
    {"in a circle",
     "plugins: ({ use = \"card\"; },\n{ use = \"ring_b\"; },\n{ use = \"ring_a\"; },\n{ use = \"ring_c\"; });",
     "t.cfg:3: plugins.ring_b: needs itself in a circle: ring_b -> ring_c -> ring_a -> ring_b\n", NULL},
};

Test(services, reports_and_order)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world world;
        char order[256] = "";
        world_load(&world, cases[i].config);
        cr_expect_str_eq(world_report(&world), cases[i].report, "%s:\n%s", cases[i].what, world_report(&world));
        cr_expect_eq(world.assembly != NULL, cases[i].order != NULL, "%s", cases[i].what);
        for (size_t h = 0; world.assembly && h < world.assembly->host_count; h++)
            strcat(strcat(order, world.assembly->hosts[h]->name), " ");
        if (cases[i].order)
            cr_expect_str_eq(order, cases[i].order, "%s: %s", cases[i].what, order);
        world_free(&world);
    }
}

/* The handle works, and what the provider's shorter vtable lacks reads as NULL. */
Test(services, handles)
{
    struct world world;
    world_load(
        &world,
        "plugins: ({ use = \"taker\"; thing = \"b\"; }, { use = \"maybe\"; source = \"a\"; thing = 7; }, { use = "
        "\"giver\"; name = \"a\"; }, { use = \"giver\"; name = \"b\"; answer = 7; });");
    cr_assert_not_null(world.assembly, "%s", world_report(&world));
    cr_assert_eq(assembly_start(world.assembly), 0);
    cr_expect_str_eq(test_trace_take(), "b start; taker start 7; a start; maybe start with 7; ");
    assembly_stop(world.assembly);
    world_free(&world);
    world_load(&world, "plugins: ({ use = \"maybe\"; });");
    cr_assert_not_null(world.assembly, "%s", world_report(&world));
    cr_assert_eq(assembly_start(world.assembly), 0);
    cr_expect_str_eq(test_trace_take(), "maybe start without 0; ");
    assembly_stop(world.assembly);
    world_free(&world);
}

/* A provider that is wrong: the one who needs it is not asked, and nothing is said twice. */
Test(services, wrong_provider)
{
    struct world world;
    world_load(&world, "plugins: ({ use = \"giver\"; answer = \"x\"; }, { use = \"taker\"; });");
    cr_expect_str_eq(world_report(&world), "t.cfg:2: plugins.giver.answer: must be an integer from 0 to 4294967295\n",
                     "%s", world_report(&world));
    world_free(&world);
}
