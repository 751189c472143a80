/* SPDX-License-Identifier: MIT */
/* What is said about the options of plugins and stages. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/plugins/trace.h"
#include "tests/plugins/world.h"

static const struct {
    const char *what, *config, *report;
} cases[] = {
    {"all fine", "plugins: ({ use = \"card\"; quota = 3; label = \"loud\"; });", ""},
    {"unknown option", "plugins: ({ use = \"card\";\n quotta = 3; });",
     "t.cfg:3: plugins.card.quotta: unknown option; did you mean \"quota\"?\n"},
    {"unknown and like nothing", "plugins: ({ use = \"card\"; name = \"ace\"; zzzzzzzzz = 3; });",
     "t.cfg:2: plugins.ace.zzzzzzzzz: unknown option; \"backplane plugins card\" lists them\n"},
    {"a key of the core is suggested, too", "plugins: ({ use = \"card\"; optionel = true; });",
     "t.cfg:2: plugins.card.optionel: unknown option; did you mean \"optional\"?\n"},
    {"out of range", "plugins: ({ use = \"card\"; quota = 101; });",
     "t.cfg:2: plugins.card.quota: must be an integer from 1 to 100\n"},
    {"an unknown choice", "plugins: ({ use = \"card\"; fail = \"config!\"; });",
     "t.cfg:2: plugins.card.fail: must be one of not, config, init, silent, start\n"},
    {"everything at once, in the order of lines",
     "plugins: ({ use = \"card\"; quota = 0;\n quotta = 1;\n phase = \"protekt\"; },\n { use = \"keyed\"; });\n"
     "pipelines: { p = ( { use = \"card\"; labell = \"x\"; } ); };",
     "t.cfg:2: plugins.card.quota: must be an integer from 1 to 100\n"
     "t.cfg:3: plugins.card.quotta: unknown option; did you mean \"quota\"?\n"
     "t.cfg:4: plugins.card.phase: must be one of any, observe, protect, identify, shape, reuse, handle\n"
     "t.cfg:5: plugins.keyed.secret: is required and not set: Signs.\n"
     "t.cfg:6: pipelines.p.card.labell: unknown option; did you mean \"label\"?\n"},
    {"a required option of a stage, set for all stages",
     "plugins: ({ use = \"keyed\"; secret = \"abcd\"; key = \"ip\"; });\npipelines: { p = ( \"keyed\" ); };", ""},
    {"a required option of a stage, set at the stage",
     "plugins: ({ use = \"keyed\"; secret = \"abcd\"; });\npipelines: { p = ( { use = \"keyed\"; key = \"ip\"; } ); };",
     ""},
    {"a required option of a stage, not set",
     "plugins: ({ use = \"keyed\"; secret = \"abcd\"; });\npipelines: { p = ( \"keyed\" ); };",
     "t.cfg:3: pipelines.p.keyed.key: is required and not set\n"},
    {"an option of the instance at a stage",
     "plugins: ({ use = \"card\"; });\npipelines: { p = ( { use = \"card\"; as = \"ace\"; quota = 1; } ); };",
     "t.cfg:3: pipelines.p.ace.quota: cannot differ from stage to stage: set it at the plugins: entry of \"card\" "
     "(t.cfg:2)\n"},
    {"no middleware", "plugins: ({ use = \"giver\"; });\npipelines: { p = ( \"giver\" ); };",
     "t.cfg:3: pipelines.p: \"giver\" (plugin giver) is no middleware: it cannot be used as a stage\n"},
    {"init refuses an option that is set", "plugins: ({ use = \"card\"; fail = \"config\";\n quota = 4; });",
     "t.cfg:3: plugins.card.quota: must be odd, is 4\n"},
    {"init refuses an option that is not set", "plugins: ({ use = \"card\"; fail = \"config\"; });",
     "t.cfg:2: plugins.card.quota: must be odd, is 10\n"},
    {"init says why it fails", "plugins: ({ use = \"card\"; name = \"ace\"; fail = \"init\"; });",
     "t.cfg:2: plugins.ace: the card is bent\n"},
    {"init says nothing", "plugins: ({ use = \"card\"; fail = \"silent\"; });",
     "t.cfg:2: plugins.card: init failed with BP_ERROR and did not say why\n"},
    {"a plugin that cannot be loaded; its stages and services are not called missing",
     "plugins: ({ use = \"gyver\"; name = \"g\"; }, { use = \"gyver\"; name = \"h\"; }, { use = \"taker\"; });\n"
     "pipelines: { p = ( \"g\" ); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; });",
     "t.cfg:2: plugins.g: no plugin \"gyver\" in PLUGINS; did you mean \"giver\"?\n"},
};

Test(options, reports)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world world;
        world_load(&world, cases[i].config);
        cr_expect_str_eq(world_report(&world), cases[i].report, "%s:\n%s", cases[i].what, world_report(&world));
        world_free(&world);
    }
}

/* Each stage has the plugin's defaults, then the instance's, then its own. */
Test(options, stages)
{
    struct world world;
    world_load(&world,
               "plugins: ({ use = \"card\"; label = \"loud\"; quota = 7; }, { use = \"card\"; name = \"ace\"; });\n"
               "pipelines: { p = ( \"card\", { use = \"card\"; as = \"own\"; label = \"soft\"; }, \"ace\" );\n"
               "q = ( \"@p\", \"-own\" ); };");
    cr_assert_str_eq(world_report(&world), "");
    cr_expect_str_eq(test_trace_take(), "card init 7; card stage p.card=loud; card stage own=soft; ace init 10; "
                                        "ace stage p.ace=plain; ");
    world_free(&world);
}

/* What is wrong with an instance, or with a stage of it, keeps init from being called; others are asked all the same. */
Test(options, init_only_when_fine)
{
    struct world world;
    world_load(&world,
               "plugins: ({ use = \"card\"; quota = 0; }, { use = \"card\"; name = \"ace\"; }, { use = \"card\"; "
               "name = \"two\"; });\npipelines: { p = ( { use = \"ace\"; label = 5; } ); };");
    cr_expect_null(world.assembly);
    cr_expect_str_eq(test_trace_take(), "two init 10; two deinit; ");
    world_free(&world);
}

/* check runs where the secrets are not: an option whose variable is missing is not the plugin's to judge. */
Test(options, placeholders)
{
    struct world world;
    unsetenv("BACKPLANE_TEST_SECRET");
    const char *text = "plugins: ({ use = \"keyed\"; key = \"ip\"; secret = \"${BACKPLANE_TEST_SECRET}\"; });";
    world_load_leniently(&world, text);
    cr_assert_not_null(world.assembly, "%s", world_report(&world));
    cr_expect_str_eq(world_report(&world), "t.cfg:2: warning: plugins.keyed.secret: is empty\n");
    cr_expect_eq(world.assembly->hosts[0]->state, HOST_LOADED);
    world_free(&world);
    world_load(&world, text);
    cr_expect_null(world.assembly);
    world_free(&world);
    cr_assert_eq(setenv("BACKPLANE_TEST_SECRET", "abcd", 1), 0);
    world_load(&world, text);
    cr_assert_not_null(world.assembly, "%s", world_report(&world));
    cr_expect_eq(world.assembly->hosts[0]->state, HOST_READY);
    world_free(&world);
}
