/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t process_cpu_microseconds(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

int64_t process_resident_bytes(void)
{
    long long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lld %lld", &total, &resident) != 2)
        resident = 0;
    (void)fclose(file);
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

/* Since Linux 6.2 the folder's size is the number; before, they are counted. */
int64_t process_open_fds(void)
{
    struct stat status;
    int64_t count = 0;

    if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0)
        return status.st_size;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count - 1; /* without the one that counts */
}

int64_t process_max_fds(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? (int64_t)limit.rlim_cur : 0;
}

bp_date process_started(int pid)
{
    char name[32], line[1024];
    unsigned long long ticks;
    struct timespec up;

    (void)snprintf(name, sizeof(name), "/proc/%d/stat", pid);
    FILE *file = fopen(name, "re");
    if (!file)
        return 0;
    size_t len = fread(line, 1, sizeof(line) - 1, file);
    (void)fclose(file);
    line[len] = '\0';
    /* Field 22, counted from behind the name in parentheses, which may hold anything (proc(5)). */
    const char *at = strrchr(line, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at || sscanf(at, "%llu", &ticks) != 1 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return 0;
    int64_t since_boot = (int64_t)ticks * 1000 / sysconf(_SC_CLK_TCK);
    return bp_date_now() - ((int64_t)up.tv_sec * 1000 + up.tv_nsec / 1000000 - since_boot);
}
