/* SPDX-License-Identifier: MIT */
/* The files of a new migration, in the source tree of the plugin that owns it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/cli.h"

/* What only the top of a source tree has. */
#define MARK "plugins/embed_migrations.py"
#define VERSION_MAX 9999u

static bool is_name(const char *text)
{
    return text[0] && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
}

/* Makes the nearest folder upwards that is a source tree the working directory. */
static bool enter_source_tree(void)
{
    char *here = getcwd(NULL, 0);
    bool found = access(MARK, F_OK) == 0;
    while (!found) {
        char folder[PATH_MAX];
        if (!getcwd(folder, sizeof(folder)) || strcmp(folder, "/") == 0 || chdir("..") != 0)
            break;
        found = access(MARK, F_OK) == 0;
    }
    if (!found)
        fprintf(stderr, "backplane: there is no source tree here: neither %s nor a folder above it has %s\n",
                here ? here : ".", MARK);
    free(here);
    return found;
}

/* The number after the highest; 0: the folder cannot be read, or is full. */
static unsigned next_version(const char *folder)
{
    unsigned highest = 0;
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    if (!dir)
        return errno == ENOENT ? 1 : 0;
    while ((entry = readdir(dir))) {
        char *end;
        unsigned long version = strtoul(entry->d_name, &end, 10);
        if (end != entry->d_name && *end == '_' && version <= VERSION_MAX && version > highest)
            highest = (unsigned)version;
    }
    closedir(dir);
    return highest < VERSION_MAX ? highest + 1 : 0;
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool fine = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (!fine)
        fprintf(stderr, "backplane: cannot write %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (fine)
        puts(path);
    return fine;
}

static bool make(const char *plugin, const char *name)
{
    char folder[512], stem[1024], path[1100], text[1400];
    (void)snprintf(folder, sizeof(folder), "plugins/%s/migrations", plugin);
    unsigned version = next_version(folder);
    if (version == 0 || (mkdir(folder, 0755) != 0 && errno != EEXIST)) {
        fprintf(stderr, "backplane: cannot make a migration in %s: %s\n", folder,
                version == 0 ? "it cannot be read, or its numbers are used up" : strerror(errno));
        return false;
    }
    (void)snprintf(stem, sizeof(stem), "%s/%04u_%s", folder, version, name);
    (void)snprintf(path, sizeof(path), "%s.sql", stem);
    (void)snprintf(text, sizeof(text),
                   "-- SPDX-License-Identifier: MIT\n"
                   "-- Where PostgreSQL needs another text, it stands in %04u_%s.postgres.sql.\n",
                   version, name);
    if (!write_file(path, text))
        return false;
    (void)snprintf(path, sizeof(path), "%s.down.sql", stem);
    (void)snprintf(text, sizeof(text), "-- SPDX-License-Identifier: MIT\n-- Undoes %04u_%s.sql.\n", version, name);
    if (!write_file(path, text))
        return false;
    printf("write them, then name them in the input of embed_migrations in plugins/%s/meson.build\n", plugin);
    return true;
}

int cli_migrate_new(const struct cli_options *options)
{
    const char *plugin = options->arguments[0], *name = options->arguments[1];
    char folder[300];
    if (!is_name(plugin) || !is_name(name) || strlen(plugin) > 200 || strlen(name) > 200) {
        fputs("backplane: PLUGIN and NAME are lowercase letters, digits and underscores\n", stderr);
        return CLI_USAGE;
    }
    if (!enter_source_tree())
        return CLI_FAILED;
    (void)snprintf(folder, sizeof(folder), "plugins/%s", plugin);
    if (access(folder, F_OK) != 0) {
        fprintf(stderr, "backplane: there is no folder %s\n", folder);
        return CLI_FAILED;
    }
    return make(plugin, name) ? CLI_OK : CLI_FAILED;
}
