/* SPDX-License-Identifier: MIT */
#include "capacity.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

unsigned capacity_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

/* The file's number; UINT64_MAX when there is none ("max", no such file). */
static uint64_t read_limit(const char *path)
{
    char text[32] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return UINT64_MAX;
    bool read = fgets(text, sizeof(text), file) != NULL;
    fclose(file);
    if (!read || text[0] < '0' || text[0] > '9')
        return UINT64_MAX;
    return strtoull(text, NULL, 10);
}

/* The least limit of the group and of the groups that it is in. */
static uint64_t group_limit(const char *mount, const char *group, const char *name)
{
    char path[PATH_MAX], file[PATH_MAX + 64];
    uint64_t least = UINT64_MAX;
    snprintf(path, sizeof(path), "%s%s", mount, group);
    for (size_t end = strlen(path); end >= strlen(mount);) {
        path[end] = '\0';
        snprintf(file, sizeof(file), "%s/%s", path, name);
        uint64_t limit = read_limit(file);
        least = limit < least ? limit : least;
        if (end == strlen(mount))
            break;
        const char *slash = strrchr(path, '/');
        end = slash ? (size_t)(slash - path) : 0;
    }
    return least;
}

uint64_t capacity_memory(void)
{
    uint64_t least = UINT64_MAX;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0)
        least = (uint64_t)pages * (uint64_t)page;

    /* "0::/group" is version 2, "9:memory:/group" version 1 (cgroups(7)). */
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX];
    while (file && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        uint64_t limit = UINT64_MAX;
        const char *version1 = strstr(line, ":memory:");
        if (strncmp(line, "0::", 3) == 0)
            limit = group_limit("/sys/fs/cgroup", line + 3, "memory.max");
        else if (version1)
            limit = group_limit("/sys/fs/cgroup/memory", version1 + strlen(":memory:"), "memory.limit_in_bytes");
        least = limit < least ? limit : least;
    }
    if (file)
        fclose(file);
    return least;
}
