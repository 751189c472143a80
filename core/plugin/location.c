/* SPDX-License-Identifier: MIT */
#include "core/plugin/location.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"

struct locations {
    char executable_dir[PATH_MAX];
    char plugin_dir[PATH_MAX + 16];
    char config_file[PATH_MAX + 32];
    bool known;
};

static bool is_dir(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void find_executable(char dir[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", dir, PATH_MAX - 1);
    char *slash = NULL;
    if (len > 0) {
        dir[len] = 0;
        slash = strrchr(dir, '/');
    }
    if (!slash)
        strcpy(dir, ".");
    else if (slash == dir)
        dir[1] = 0;
    else
        *slash = 0;
}

static const struct locations *locations(void)
{
    static struct locations all;
    if (all.known)
        return &all;
    find_executable(all.executable_dir);
    snprintf(all.plugin_dir, sizeof(all.plugin_dir), "%s/plugins", all.executable_dir);
    if (is_dir(all.plugin_dir)) {
        char *parent_end = strrchr(all.executable_dir, '/');
        int len = parent_end ? (int)(parent_end - all.executable_dir) : 0;
        snprintf(all.config_file, sizeof(all.config_file), "%.*s/config/backplane.cfg", len, all.executable_dir);
    } else {
        snprintf(all.plugin_dir, sizeof(all.plugin_dir), "%s", BACKPLANE_PLUGIN_DIR);
        snprintf(all.config_file, sizeof(all.config_file), "%s", BACKPLANE_CONFIG_FILE);
    }
    all.known = true;
    return &all;
}

const char *location_plugin_dir(void)
{
    return locations()->plugin_dir;
}

static bool holds(const char *folder, const char *plugin)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s.so", folder, plugin);
    return len > 0 && (size_t)len < sizeof(path) && access(path, F_OK) == 0;
}

const char *location_folder_of(const char *own, const char *plugin)
{
    if (own && *own && (holds(own, plugin) || !holds(location_plugin_dir(), plugin)))
        return own;
    return location_plugin_dir();
}

const char *location_config_file(void)
{
    return locations()->config_file;
}
