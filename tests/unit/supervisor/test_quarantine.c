/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/supervisor/quarantine.h"

static struct config_plugin plugins[] = {{.name = "guest", .optional = true}, {.name = "host"}};
static const struct config config = {.plugins = plugins, .plugin_count = 2, .server = {.quarantine_after = 3}};
static struct quarantine quarantine;

static bool crashed(const char *instance, bp_time now)
{
    return quarantine_crashed(&quarantine, &config, bp_str_of(instance), now);
}

Test(quarantine, so_many_within_a_minute_are_too_many)
{
    cr_expect_not(crashed("guest", 0));
    cr_expect_not(crashed("guest", BP_MINUTE));
    cr_expect(crashed("guest", BP_MINUTE));
    cr_expect(crashed("guest", BP_MINUTE), "as long as it is not left out");
    cr_expect_not(crashed("guest", BP_MINUTE + 1), "a new minute has begun");
    quarantine_forget(&quarantine);
    cr_expect_not(crashed("guest", BP_MINUTE + 1));
    cr_expect_not(crashed("guest", BP_MINUTE + 1));
    cr_expect(crashed("guest", BP_MINUTE + 1));
}

Test(quarantine, only_what_is_optional)
{
    for (int i = 0; i < 10; i++) {
        cr_expect_not(crashed("host", 0));
        cr_expect_not(crashed("", 0));
        cr_expect_not(crashed("nobody", 0));
        cr_expect_not(crashed("a-name-that-is-longer-than-any-instance-may-have-in-a-configuration-file", 0));
    }
}

Test(quarantine, what_cannot_be_left_out_is_not_tried_again)
{
    for (int i = 0; i < 2; i++)
        cr_expect_not(crashed("guest", 0));
    cr_expect(crashed("guest", 0));
    quarantine_failed(&quarantine, BP_STR("guest"));
    for (int i = 0; i < 10; i++)
        cr_expect_not(crashed("guest", i * BP_MINUTE));
    quarantine_forget(&quarantine);
    for (int i = 0; i < 2; i++)
        cr_expect_not(crashed("guest", 0));
    cr_expect(crashed("guest", 0));
}

/* More suspects than places: the one that has been good for the longest time is forgotten. */
Test(quarantine, there_are_so_many_places)
{
    static char names[QUARANTINE_SUSPECTS + 1][8];
    static struct config_plugin many[QUARANTINE_SUSPECTS + 1];
    const struct config all = {
        .plugins = many, .plugin_count = QUARANTINE_SUSPECTS + 1, .server = {.quarantine_after = 2}};
    for (size_t i = 0; i <= QUARANTINE_SUSPECTS; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "p%zu", i);
        many[i] = (struct config_plugin){.name = names[i], .optional = true};
        cr_expect_not(quarantine_crashed(&quarantine, &all, bp_str_of(names[i]), (bp_time)i));
    }
    cr_expect(quarantine_crashed(&quarantine, &all, BP_STR("p1"), 20));
    cr_expect(quarantine_crashed(&quarantine, &all, bp_str_of(names[QUARANTINE_SUSPECTS]), 20));
    cr_expect_not(quarantine_crashed(&quarantine, &all, BP_STR("p0"), 20), "forgotten");
}
