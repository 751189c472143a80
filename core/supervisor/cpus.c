/* SPDX-License-Identifier: MIT */
#include "core/supervisor/cpus.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static bp_str read_small(const char *file, char *space, size_t size)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return bp_str_n(NULL, 0);
    ssize_t n = read(fd, space, size);
    (void)close(fd);
    return n > 0 ? bp_str_trim(bp_str_n(space, (size_t)n)) : bp_str_n(NULL, 0);
}

unsigned cpus_of_quota(bp_str text)
{
    const char *blank = text.len > 0 ? memchr(text.ptr, ' ', text.len) : NULL;
    uint64_t quota, period;

    if (!blank)
        return 0;
    size_t first = (size_t)(blank - text.ptr);
    if (!bp_str_to_u64(bp_str_n(text.ptr, first), &quota) ||
        !bp_str_to_u64(bp_str_trim(bp_str_n(blank, text.len - first)), &period) || period == 0 || quota == 0)
        return 0;
    uint64_t count = quota / period + (quota % period != 0);
    return count < UINT_MAX ? (unsigned)count : UINT_MAX;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return b != 0 && (a == 0 || b < a) ? b : a;
}

/* The process's own group and every one above it may be limited. */
static unsigned quota_v2(void)
{
    char space[PATH_MAX], path[PATH_MAX], file[PATH_MAX + 64];
    bp_str groups = read_small("/proc/self/cgroup", space, sizeof(space));
    unsigned count = 0;

    /* "0::/kubepods/pod1": the unified hierarchy's line. */
    const char *line = groups.ptr && groups.len >= 3 ? memmem(groups.ptr, groups.len, "0::", 3) : NULL;
    if (!line || (line != groups.ptr && line[-1] != '\n'))
        return 0;
    line += 3;
    const char *end = memchr(line, '\n', groups.len - (size_t)(line - groups.ptr));
    size_t len = end ? (size_t)(end - line) : groups.len - (size_t)(line - groups.ptr);
    (void)snprintf(path, sizeof(path), "%.*s", (int)len, line);
    for (;;) {
        char text[64];
        (void)snprintf(file, sizeof(file), "/sys/fs/cgroup%s/cpu.max", strcmp(path, "/") == 0 ? "" : path);
        count = smaller(count, cpus_of_quota(read_small(file, text, sizeof(text))));
        char *slash = strrchr(path, '/');
        if (!slash || path[0] == '\0')
            return count;
        *slash = '\0';
    }
}

static unsigned quota_v1(void)
{
    char quota[32], period[32], both[72];
    bp_str a = read_small("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, sizeof(quota));
    bp_str b = read_small("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof(period));

    int n = snprintf(both, sizeof(both), "%" BP_STR_FMT " %" BP_STR_FMT, BP_STR_ARG(a), BP_STR_ARG(b));
    return cpus_of_quota(bp_str_n(both, n > 0 ? (size_t)n : 0));
}

unsigned cpus_available(void)
{
    cpu_set_t mask;
    unsigned count = 0;

    if (sched_getaffinity(0, sizeof(mask), &mask) == 0)
        count = (unsigned)CPU_COUNT(&mask);
    else
        count = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    count = smaller(count, smaller(quota_v2(), quota_v1()));
    return count > 0 ? count : 1;
}
