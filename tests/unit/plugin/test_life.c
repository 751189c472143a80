/* SPDX-License-Identifier: MIT */
/* init, start, stop, deinit: in which order, how often, and on which path. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "core/base/log.h"
#include "tests/plugins/trace.h"
#include "tests/plugins/world.h"

static const struct {
    const char *what, *config, *trace;
    int status;
} cases[] = {
    {"all is well", "plugins: ({ use = \"card\"; name = \"a\"; }, { use = \"card\"; name = \"b\"; });",
     "a init 10; b init 10; a start 0; b start 32; b stop; a stop; b deinit; a deinit; ", 0},
    {"the second does not start",
     "plugins: ({ use = \"card\"; name = \"a\"; }, { use = \"card\"; name = \"b\"; fail = \"start\"; }, { use = "
     "\"card\"; name = \"c\"; });",
     "a init 10; b init 10; c init 10; a start 0; b start 32; a stop; c deinit; b deinit; a deinit; ", BP_ERROR},
    {"the second fails in init",
     "plugins: ({ use = \"card\"; name = \"a\"; }, { use = \"card\"; name = \"b\"; fail = \"init\"; }, { use = "
     "\"card\"; name = \"c\"; });",
     "a init 10; b init 10; c init 10; c deinit; b deinit; a deinit; ", BP_INVALID},
};

Test(life, order)
{
    log_setup(BP_LOG_ERROR, LOG_JSON, "test");
    cr_assert_eq(dup2(open("/dev/null", 1), STDERR_FILENO), STDERR_FILENO);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world world;
        int status = BP_INVALID;
        world_load(&world, cases[i].config);
        if (world.assembly)
            status = assembly_start(world.assembly);
        cr_expect_eq(status, cases[i].status, "%s: %d", cases[i].what, status);
        if (status == 0)
            assembly_stop(world.assembly);
        world_free(&world);
        const char *trace = test_trace_take();
        cr_expect_str_eq(trace, cases[i].trace, "%s: %s", cases[i].what, trace);
    }
}

Test(life, host)
{
    struct world world;
    char expected[128];
    world_load(&world, "plugins: ({ use = \"card\"; name = \"ace\"; });");
    cr_assert_not_null(world.assembly, "%s", world_report(&world));
    struct bp_host *host = world.assembly->hosts[0];
    snprintf(expected, sizeof(expected), "%s/data", world.folder);
    cr_expect(bp_str_is(bp_instance_name(host), "ace"));
    cr_expect(bp_str_is(bp_data_dir(host), expected), "%s", bp_data_dir(host).ptr);
    cr_expect_not(bp_is_production(host));
    cr_expect_eq(world.assembly->slot_bytes, 32, "20 bytes rounded up to 16s");
    cr_assert_eq(dup2(open("/dev/null", 1), STDERR_FILENO), STDERR_FILENO);
    cr_expect_eq(bp_slot_new(host, 8), BP_MISUSE, "only init may");
    cr_expect_eq(bp_config_error(host, "quota", "is late"), BP_INVALID);
    cr_expect_eq(world.assembly->slot_bytes, 32);
    world_free(&world);
}

Test(life, production)
{
    struct world world;
    cr_assert_eq(setenv("TEST_PROFILE", "production", 1), 0);
    world_load(&world, "plugins: ({ use = \"card\"; });");
    if (world.assembly)
        cr_expect(bp_is_production(world.assembly->hosts[0]));
    else
        cr_expect_fail("%s", world_report(&world));
    world_free(&world);
}
