/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void sandbox_enter(struct sandbox *sandbox)
{
    strcpy(sandbox->folder, "/tmp/config-test-XXXXXX");
    cr_assert_not_null(mkdtemp(sandbox->folder));
    cr_assert_eq(chdir(sandbox->folder), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void sandbox_leave(struct sandbox *sandbox)
{
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(nftw(sandbox->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void sandbox_write(const char *file, const char *text)
{
    char path[256];
    cr_assert_lt(snprintf(path, sizeof(path), "%s", file), (int)sizeof(path));
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *out = fopen(file, "w");
    cr_assert_not_null(out, "%s", file);
    fputs(text, out);
    fclose(out);
}

void load_file(struct loaded *loaded, const char *file, const char *const *sets, bool lenient)
{
    struct config_load_options options = {.file = file, .sets = sets, .lenient_environment = lenient};
    while (sets && sets[options.set_count])
        options.set_count++;
    *loaded = (struct loaded){0};
    loaded->status = config_load(&options, &loaded->report, &loaded->config);
    buffer_add_char(&loaded->report.text, '\0');
    loaded->problems = loaded->report.text.ptr;
}

void load_text(struct loaded *loaded, const char *text, const char *const *sets, bool lenient)
{
    sandbox_write("a.cfg", text);
    load_file(loaded, "a.cfg", sets, lenient);
}

void unload(struct loaded *loaded)
{
    loaded->config = config_free(loaded->config);
    report_deinit(&loaded->report);
}

const struct config_setting *option_of(const struct config *config, const char *instance, const char *option)
{
    for (size_t i = 0; i < config->plugin_count; i++) {
        if (strcmp(config->plugins[i].name, instance) != 0)
            continue;
        const struct config_setting *setting = config_get(config->plugins[i].setting, option);
        cr_assert_not_null(setting, "%s.%s", instance, option);
        return setting;
    }
    cr_assert_fail("no instance %s", instance);
    return NULL;
}
