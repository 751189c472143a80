/* SPDX-License-Identifier: MIT */
/* "@name", "-name", replacing, locking, and the names of stages. */
#include <criterion/criterion.h>

#include "tests/plugins/world.h"

#define PLUGINS                                                                                                        \
    "plugins: ({ use = \"card\"; name = \"a\"; }, { use = \"card\"; name = \"b\"; }, { use = \"card\"; name = \"c\"; " \
    "},"                                                                                                               \
    "{ use = \"card\"; name = \"d\"; });\n"

static const struct {
    const char *what, *pipelines, *stages; /* of the pipeline "p" */
} fine[] = {
    {"as written", "p = ( \"c\", \"a\" );", "p.c p.a"},
    {"empty", "p = ();", ""},
    {"included", "base = ( \"a\", \"b\" ); p = ( \"@base\", \"c\" );", "base.a base.b p.c"},
    {"included in the middle, defined later", "p = ( \"c\", \"@base\", \"d\" ); base = ( \"a\", \"b\" );",
     "p.c base.a base.b p.d"},
    {"two levels", "one = ( \"a\" ); two = ( \"@one\", \"b\" ); p = ( \"@two\", \"c\" );", "one.a two.b p.c"},
    {"two includes", "one = ( \"a\" ); two = ( \"b\" ); p = ( \"@one\", \"@two\" );", "one.a two.b"},
    {"taken out", "base = ( \"a\", \"b\", \"c\" ); p = ( \"@base\", \"-b\" );", "base.a base.c"},
    {"taken out and put elsewhere", "base = ( \"a\", \"b\" ); p = ( \"@base\", \"-a\", \"a\" );", "base.b p.a"},
    {"taken out over two levels", "one = ( \"a\", \"b\" ); two = ( \"@one\", \"c\" ); p = ( \"@two\", \"-a\" );",
     "one.b two.c"},
    {"replaced in place", "base = ( \"a\", \"b\", \"c\" ); p = ( \"@base\", { use = \"b\"; label = \"x\"; } );",
     "base.a p.b base.c"},
    {"replaced by name, not by instance",
     "base = ( { use = \"a\"; as = \"x\"; }, \"b\" ); p = ( \"@base\", { use = \"c\"; as = \"b\"; }, \"a\" );",
     "x b p.a"},
    {"replaced by its `as`, with state of its own",
     "base = ( { use = \"a\"; as = \"x\"; }, \"b\" ); p = ( \"@base\", { use = \"a\"; as = \"x\"; label = \"y\"; } );",
     "p.x base.b"},
    {"`as` is the name", "p = ( \"a\", { use = \"a\"; as = \"again\"; } );", "p.a again"},
    {"`as` is what is taken out", "base = ( \"a\", { use = \"a\"; as = \"again\"; } ); p = ( \"@base\", \"-again\" );",
     "base.a"},
    {"the pipeline included stays as it is",
     "p = ( \"a\", \"b\" ); other = ( \"@p\", \"-a\", { use = \"b\"; label = \"x\"; } );", "p.a p.b"},
    {"locked stages are included", "base = ( { use = \"a\"; locked = true; } ); p = ( \"@base\", \"b\" );",
     "base.a p.b"},
};

static const struct {
    const char *what, *pipelines, *report;
} wrong[] = {
    {"included in a circle", "p = ( \"@q\" );\nq = ( \"a\", \"@r\" );\nr = ( \"@p\" );",
     "t.cfg:6: pipelines.r: includes itself in a circle: p -> q -> r -> p\n"},
    {"includes itself", "p = ( \"@p\" );", "t.cfg:4: pipelines.p: includes itself in a circle: p -> p\n"},
    {"takes out what is not there", "base = ( \"a\" );\np = ( \"@base\",\n \"-b\" );",
     "t.cfg:6: pipelines.p: \"-b\" takes out nothing: no stage before it has this name\n"},
    {"takes out what has another name",
     "base = ( { use = \"a\"; as = \"limit\"; } );\np = ( \"@base\",\n \"-limti\" );",
     "t.cfg:6: pipelines.p: \"-limti\" takes out nothing: no stage before it has this name; did you mean "
     "\"-limit\"?\n"},
    {"takes out what comes later", "base = ( { use = \"a\"; as = \"limit\"; } );\np = ( \"-limit\", \"@base\" );",
     "t.cfg:5: pipelines.p: \"-limit\" takes out nothing: no stage before it has this name\n"},
    {"takes out its own", "p = ( \"a\",\n \"-a\" );",
     "t.cfg:5: pipelines.p: \"-a\" takes out what this pipeline itself put in (t.cfg:4)\n"},
    {"takes out a locked one", "base = ( { use = \"a\"; locked = true; } );\np = ( \"@base\",\n \"-a\" );",
     "t.cfg:6: pipelines.p: \"-a\" takes out a locked stage (t.cfg:4)\n"},
    {"replaces a locked one", "base = ( { use = \"a\"; locked = true; } );\np = ( \"@base\",\n \"a\" );",
     "t.cfg:6: pipelines.p: \"a\" replaces a locked stage (t.cfg:4)\n"},
    {"one name twice", "p = ( \"a\",\n \"a\" );",
     "t.cfg:5: pipelines: a stage named \"p.a\" is at t.cfg:4; give this one another name with as = \"…\"\n"},
    {"one `as` twice, in two pipelines", "p = ( { use = \"a\"; as = \"x\"; } );\nq = ( { use = \"b\"; as = \"x\"; } );",
     "t.cfg:5: pipelines: a stage named \"x\" is at t.cfg:4; give this one another name with as = \"…\"\n"},
    {"an `as` like an instance of the same pipeline", "p = ( \"a\",\n { use = \"b\"; as = \"a\"; } );",
     "t.cfg:5: pipelines.p: a stage named \"a\" is in this pipeline already (t.cfg:4)\n"},
    {"two includes bring the same stage",
     "base = ( \"a\" );\none = ( \"@base\", \"b\" );\np = ( \"@base\",\n \"@one\" );",
     "t.cfg:7: pipelines.p: \"@one\" brings a stage \"a\" (t.cfg:4), which is there already (t.cfg:4)\n"},
};

static void load(struct world *world, const char *pipelines)
{
    struct buffer text = {0};
    buffer_printf(&text, PLUGINS "pipelines: {\n%s\n};\n", pipelines);
    buffer_add_char(&text, 0);
    world_load(world, text.ptr);
    buffer_deinit(&text);
}

Test(expand, fine)
{
    for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++) {
        struct world world;
        load(&world, fine[i].pipelines);
        cr_expect_str_eq(world_report(&world), "", "%s:\n%s", fine[i].what, world_report(&world));
        if (world.assembly)
            cr_expect_str_eq(world_stages(&world, "p"), fine[i].stages, "%s: %s", fine[i].what,
                             world_stages(&world, "p"));
        world_free(&world);
    }
}

Test(expand, wrong)
{
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct world world;
        load(&world, wrong[i].pipelines);
        cr_expect_str_eq(world_report(&world), wrong[i].report, "%s:\n%s", wrong[i].what, world_report(&world));
        cr_expect_null(world.assembly, "%s", wrong[i].what);
        world_free(&world);
    }
}

/* What a stage runs and with which options. */
Test(expand, compiled)
{
    struct world world;
    load(&world, "base = ( { use = \"a\"; locked = true; } ); p = ( \"@base\", \"b\" );");
    cr_assert_not_null(world.assembly, "%s", world_report(&world));
    cr_assert_eq(world.assembly->pipeline_count, 2);
    cr_assert_eq(world.assembly->stage_count, 2);
    const struct pipeline *p = &world.assembly->pipelines[1];
    cr_assert_eq(p->count, 2);
    for (size_t i = 0; i < 2; i++) {
        struct bp_host *host = world.assembly->hosts[i];
        cr_expect_eq(p->stages[i].host, host);
        cr_expect_eq(p->stages[i].self, host->self);
        cr_expect_eq(p->stages[i].function, host->plugin.middleware);
        cr_expect_not_null(p->stages[i].options);
        cr_expect_eq(p->stages[i].locked, i == 0);
        cr_expect_eq(p->stages[i].place.line, 4);
    }
    world_free(&world);
}
