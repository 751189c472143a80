/* SPDX-License-Identifier: MIT */
/* Which pipeline guards which route. */
#include <criterion/criterion.h>

#include "core/plugin/endpoints.h"
#include "tests/plugins/world.h"

static const struct {
    const char *match, *path;
    bool covers;
} matches[] = {
    {"/x/*", "/x/y", true}, {"/x/*", "/x/y/z", true}, {"/x/*", "/x/", true}, {"/x/*", "/x", true},
    {"/x/*", "/xy", false}, {"/x/*", "/", false},     {"/*", "/", true},     {"/*", "/x", true},
    {"/*", "*", false},     {"/*", "", false},        {"/x", "/x", true},    {"/x", "/x/", false},
    {"/x", "/x/y", false},  {"/", "/", true},         {"/", "/x", false},
};

Test(routes, match)
{
    for (size_t i = 0; i < sizeof(matches) / sizeof(*matches); i++)
        cr_expect_eq(endpoints_match(matches[i].match, bp_str_of(matches[i].path)), matches[i].covers, "%s %s",
                     matches[i].match, matches[i].path);
}

Test(routes, first_entry_counts)
{
    struct world world;
    world_load(
        &world,
        "plugins: ({ use = \"items\"; }, { use = \"store\"; });\npipelines: { all = (); list = (); one = (); };\n"
        "routes: ({ match = \"/items\"; pipeline = \"list\"; }, { match = \"/items/*\"; pipeline = \"one\"; },\n"
        "{ match = \"/*\"; pipeline = \"all\"; });");
    cr_assert_not_null(world.assembly, "%s", world_report(&world));
    cr_assert_eq(world.assembly->endpoint_count, 3);
    const struct {
        uint32_t method;
        const char *path, *route, *pipeline;
    } expected[] = {{BP_GET, "/items", "items.list", "list"},
                    {BP_HEAD, "/items", "items.list", "list"},
                    {BP_POST, "/items", "items.create", "list"},
                    {BP_GET, "/items/7", "items.get", "one"},
                    {BP_GET, "/other", NULL, "all"},
                    {BP_GET, "/items/7/x", NULL, "one"}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        struct router_match match = {0};
        bp_str path = bp_str_of(expected[i].path);
        bool found = router_find(world.assembly->router, expected[i].method, path, &match);
        const struct endpoint *endpoint = match.value;
        const struct pipeline *pipeline = found ? endpoint->pipeline : assembly_pipeline_for(world.assembly, path);
        cr_assert_eq(found, expected[i].route != NULL, "%s", expected[i].path);
        if (found)
            cr_expect_str_eq(endpoint->route.name, expected[i].route);
        cr_assert_not_null(pipeline, "%s", expected[i].path);
        cr_expect(bp_str_is(pipeline->name, expected[i].pipeline), "%s: %s", expected[i].path, pipeline->name.ptr);
    }
    world_free(&world);
}

static const struct {
    const char *what, *config, *report;
} cases[] = {
    {"no entry matches",
     "plugins: ({ use = \"items\"; }, { use = \"store\"; });\npipelines: { p = (); };\n"
     "routes: ({ match = \"/items\"; pipeline = \"p\"; });",
     "t.cfg:2: plugins.items: route GET /items/{id} has no pipeline: no routes: entry matches it\n"},
    {"the same route twice",
     "plugins: ({ use = \"items\"; name = \"a\"; }, { use = \"store\"; },\n{ use = \"items\"; name = \"b\"; });\n"
     "pipelines: { p = (); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; });",
     "t.cfg:3: plugins.b: route GET /items is already a route of \"a\" (plugin items)\n"
     "t.cfg:3: plugins.b: route POST /items is already a route of \"a\" (plugin items)\n"
     "t.cfg:3: plugins.b: route GET /items/{id} is already a route of \"a\" (plugin items)\n"},
    {"malformed, and the same under another parameter name",
     "plugins: ({ use = \"items\"; }, { use = \"store\"; },\n{ use = \"odd_route\"; });\n"
     "pipelines: { p = (); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; });",
     "t.cfg:3: plugins.odd_route: route GET /odd/{} is malformed: segments are literal or one {parameter}, each name "
     "once\n"
     "t.cfg:3: plugins.odd_route: route GET /items/{key} is already a route of \"items\" (plugin items)\n"},
    {"routes for accounts, where nobody is identified",
     "plugins: ({ use = \"guarded\"; });\npipelines: { p = (); q = ( \"guarded\" ); };\n"
     "routes: ({ match = \"/mine\"; pipeline = \"q\"; }, { match = \"/*\"; pipeline = \"p\"; });",
     "t.cfg:2: warning: plugins.guarded: nobody can use the route PUT /all: it is for accounts, and no stage of its "
     "pipeline \"p\" finds out who asks\n"},
};

Test(routes, reports)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world world;
        world_load(&world, cases[i].config);
        cr_expect_str_eq(world_report(&world), cases[i].report, "%s:\n%s", cases[i].what, world_report(&world));
        world_free(&world);
    }
}

/* Roles are looked at behind the stages that find out who asks, and before those that may answer for the handler. */
Test(routes, where_roles_are_checked)
{
    struct world world;
    world_load(&world, "plugins: ({ use = \"guarded\"; });\n"
                       "pipelines: { none = (); one = ( \"guarded\" ); };\n"
                       "routes: ({ match = \"/*\"; pipeline = \"one\"; });");
    cr_assert_not_null(world.assembly, "%s", world_report(&world));
    cr_assert_eq(world.assembly->pipeline_count, 2);
    const struct pipeline *none = &world.assembly->pipelines[0], *one = &world.assembly->pipelines[1];
    cr_expect_not(none->identifies);
    cr_expect_eq(none->guard_index, 0);
    cr_expect(one->identifies);
    cr_expect_eq(one->open_count, 0);
    cr_expect_eq(one->guard_index, 1);
    world_free(&world);
}
