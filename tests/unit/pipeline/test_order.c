/* SPDX-License-Identifier: MIT */
/* What cannot work in the order written is refused. */
#include <criterion/criterion.h>

#include "tests/plugins/world.h"

/* Line 2; the pipelines begin on line 4. */
#define PLUGINS                                                                                                \
    "plugins: ({ use = \"card\"; name = \"any\"; }, { use = \"card\"; name = \"see\"; phase = \"observe\"; }," \
    "{ use = \"card\"; name = \"guard\"; phase = \"protect\"; }, { use = \"card\"; name = \"auth\"; phase = "  \
    "\"identify\"; },"                                                                                         \
    "{ use = \"card\"; name = \"shape\"; phase = \"shape\"; }, { use = \"card\"; name = \"cache\"; phase = "   \
    "\"reuse\"; },"                                                                                            \
    "{ use = \"card\"; name = \"limit\"; identity = true; }, { use = \"late\"; }, { use = \"card\"; });\n"
#define ORDER "; the order of phases is observe, protect, identify, shape, reuse, handle\n"

static const struct {
    const char *what, *pipelines, *report;
} cases[] = {
    {"upwards", "p = ( \"see\", \"guard\", \"auth\", \"shape\", \"cache\" );", ""},
    {"any fits anywhere", "p = ( \"see\", \"any\", \"auth\", { use = \"any\"; as = \"x\"; }, \"cache\" );", ""},
    {"the same phase twice", "p = ( \"see\", { use = \"see\"; as = \"x\"; }, \"auth\" );", ""},
    {"downwards", "p = ( \"auth\",\n \"any\",\n \"guard\" );",
     "t.cfg:6: pipelines.p: \"guard\" (phase protect) stands behind \"auth\" (phase identify, t.cfg:4)" ORDER},
    {"a stage's own phase counts", "p = ( \"auth\", { use = \"guard\"; as = \"per_user\"; phase = \"shape\"; } );", ""},
    {"a cache before identity", "p = ( \"cache\",\n \"auth\" );",
     "t.cfg:5: pipelines.p: \"auth\" (phase identify) stands behind \"cache\" (phase reuse, t.cfg:4)" ORDER},
    {"said once, where it is written",
     "base = ( \"auth\",\n \"see\" );\np = ( \"@base\", \"shape\" );\nq = ( \"@p\" );",
     "t.cfg:5: pipelines.base: \"see\" (phase observe) stands behind \"auth\" (phase identify, t.cfg:4)" ORDER},
    {"between two includes", "one = ( \"auth\" );\ntwo = ( \"see\" );\np = ( \"@one\", \"@two\" );",
     "t.cfg:5: pipelines.p: \"see\" (phase observe) stands behind \"auth\" (phase identify, t.cfg:4)" ORDER},
    {"replaced in place", "base = ( \"see\", \"auth\" );\np = ( \"@base\",\n { use = \"see\"; phase = \"handle\"; } );",
     "t.cfg:4: pipelines.p: \"auth\" (phase identify) stands behind \"see\" (phase handle, t.cfg:6)" ORDER},
    {"after, as it should be", "p = ( \"card\", \"late\" );", ""},
    {"after, alone", "p = ( \"late\" );", ""},
    {"after, the other way round", "p = ( \"late\",\n \"card\" );",
     "t.cfg:4: pipelines.p: \"late\" must stand behind \"card\" (t.cfg:5)\n"},
    {"after, between what is included and what is not", "base = ( \"late\" );\np = ( \"@base\", \"card\" );",
     "t.cfg:4: pipelines.p: \"late\" must stand behind \"card\" (t.cfg:5)\n"},
    {"a per-user limit behind auth", "p = ( \"auth\", \"limit\" ); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; }",
     ""},
    {"a per-user limit before auth", "p = ( \"limit\",\n \"auth\" );",
     "t.cfg:4: pipelines.p: \"limit\" needs to know who asks, and stands before \"auth\" (t.cfg:5)\n"},
    {"said once, though its phase is wrong, too", "p = ( { use = \"limit\"; phase = \"shape\"; },\n \"auth\" );",
     "t.cfg:4: pipelines.p: \"limit\" needs to know who asks, and stands before \"auth\" (t.cfg:5)\n"},
    {"a per-user limit without auth, in a pipeline that routes use",
     "p = ( \"limit\" ); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; }",
     "t.cfg:4: pipelines.p: \"limit\" needs to know who asks, and no stage before it identifies\n"},
    {"a per-user limit without auth, in one that is only included",
     "base = ( \"limit\" );\np = ( \"auth\", \"@base\" ); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; }", ""},
    {"auth taken out from before it",
     "base = ( \"auth\", \"limit\" );\np = ( \"@base\", \"-auth\" ); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; "
     "}",
     "t.cfg:4: pipelines.p: \"limit\" needs to know who asks, and no stage before it identifies\n"},
};

Test(order, reports)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world world;
        struct buffer text = {0};
        bool routes = strstr(cases[i].pipelines, "routes:") != NULL;
        buffer_printf(&text, PLUGINS "pipelines: {\n%s%s\n", cases[i].pipelines, routes ? ");" : "};");
        buffer_add_char(&text, 0);
        world_load(&world, text.ptr);
        buffer_deinit(&text);
        cr_expect_str_eq(world_report(&world), cases[i].report, "%s:\n%s", cases[i].what, world_report(&world));
        world_free(&world);
    }
}
