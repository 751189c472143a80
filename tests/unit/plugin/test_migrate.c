/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/plugin/migrate.h"
#include "tests/plugins/trace.h"
#include "tests/plugins/world.h"

#define ROUTES "pipelines: { p = (); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; });"

static const struct {
    const char *what, *config, *trace;
    int status;
    unsigned applied;
} cases[] = {
    {"once for a plugin on a database, without start",
     "plugins: ({ use = \"items\"; database = \"main\"; }, { use = \"store\"; name = \"main\"; });\n" ROUTES,
     "main migrate items 2; ", 0, 2},
    {"nothing to migrate", "plugins: ({ use = \"store\"; });\n" ROUTES, "", 0, 0},
    {"it fails", "plugins: ({ use = \"items\"; }, { use = \"store\"; refuses = \"items\"; });\n" ROUTES,
     "store migrate items 2; ", BP_ERROR, 99},
};

Test(migrate, runs)
{
    cr_assert_eq(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO), STDERR_FILENO);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world world;
        unsigned applied = 99;
        world_load(&world, cases[i].config);
        cr_assert_not_null(world.assembly, "%s: %s", cases[i].what, world_report(&world));
        int status = migrations_run(world.assembly, &applied);
        cr_expect_eq(status, cases[i].status, "%s: %d", cases[i].what, status);
        cr_expect_eq(applied, cases[i].applied, "%s: %u", cases[i].what, applied);
        const char *trace = test_trace_take();
        cr_expect_str_eq(trace, cases[i].trace, "%s: %s", cases[i].what, trace);
        world_free(&world);
    }
}
