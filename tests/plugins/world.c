/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/supervisor/shared.h"

static void load(struct world *world, const char *text, bool lenient)
{
    static char folder[64];
    memset(world, 0, sizeof(*world));
    strcpy(folder, "/tmp/backplane-test-XXXXXX");
    world->folder = mkdtemp(folder);
    cr_assert_not_null(world->folder);
    cr_assert_eq(chdir(world->folder), 0);
    FILE *file = fopen("t.cfg", "w");
    cr_assert_not_null(file);
    fprintf(file, "server: { plugin_path = \"%s\"; data = \"data\"; profile = \"${TEST_PROFILE:-development}\"; };\n%s",
            TEST_PLUGIN_DIR, text);
    cr_assert_eq(fclose(file), 0);
    const struct config_load_options options = {.file = "t.cfg", .lenient_environment = lenient};
    if (config_load(&options, &world->report, &world->config) != 0)
        return;
    cr_assert_eq(shared_private(1 << 20, &world->shared), 0);
    int status = assembly_load(world->config, world->shared, &world->report, &world->assembly);
    cr_assert_eq(status == 0, world->assembly != NULL);
    cr_assert_eq(status == 0, world->report.errors == 0, "status %d, %u errors", status, world->report.errors);
}

void world_load(struct world *world, const char *text)
{
    load(world, text, false);
}

void world_load_leniently(struct world *world, const char *text)
{
    load(world, text, true);
}

void world_free(struct world *world)
{
    assembly_free(world->assembly);
    shared_free(world->shared);
    config_free(world->config);
    report_deinit(&world->report);
    cr_assert_eq(unlink("t.cfg"), 0);
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(rmdir(world->folder), 0);
}

char *text_replace(const char *text, const char *from, const char *to)
{
    struct buffer out = {0};
    for (const char *found; (found = strstr(text, from)); text = found + strlen(from)) {
        buffer_add(&out, bp_str_n(text, (size_t)(found - text)));
        buffer_add(&out, bp_str_of(to));
    }
    buffer_add(&out, bp_str_of(text));
    buffer_add_char(&out, 0);
    cr_assert_not(out.failed);
    return out.ptr;
}

const char *world_report(const struct world *world)
{
    static char *report;
    char *text = strndup(world->report.text.ptr ? world->report.text.ptr : "", world->report.text.len);
    free(report);
    report = text_replace(text, TEST_PLUGIN_DIR, "PLUGINS");
    free(text);
    return report;
}

const char *world_stages(const struct world *world, const char *pipeline)
{
    static char names[1024];
    for (size_t p = 0; p < world->assembly->pipeline_count; p++) {
        const struct pipeline *found = &world->assembly->pipelines[p];
        if (!bp_str_is(found->name, pipeline))
            continue;
        size_t len = 0;
        names[0] = 0;
        for (size_t i = 0; i < found->count; i++)
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%" BP_STR_FMT, i ? " " : "",
                                    BP_STR_ARG(found->stages[i].name));
        return names;
    }
    return "?";
}
