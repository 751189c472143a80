/* SPDX-License-Identifier: MIT */
#include "core/supervisor/data.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backplane/status.h"

static int make_folder(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int r = mkdir(path, 0755);
        int error = errno;
        *slash = '/';
        if (r != 0 && error != EEXIST) {
            errno = error;
            return -1;
        }
    }
    return mkdir(path, 0700) != 0 && errno != EEXIST ? -1 : 0;
}

static void say_who(int fd, bp_str folder, struct buffer *problems)
{
    char text[16];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    bp_str pid = bp_str_trim(bp_str_n(text, n > 0 ? (size_t)n : 0));

    buffer_printf(problems,
                  "another server%s%" BP_STR_FMT "%s already runs on the data folder %" BP_STR_FMT
                  ": stop it, or give this one a folder of its own (BACKPLANE_DATA)\n",
                  pid.len > 0 ? " (pid " : "", BP_STR_ARG(pid), pid.len > 0 ? ")" : "", BP_STR_ARG(folder));
}

/* Volumes that are somebody else's are what goes wrong in containers: who would have to own it. */
static int say_failure(const char *what, const char *path, struct buffer *problems)
{
    int error = errno;
    buffer_printf(problems, "cannot %s %s: %s", what, path, strerror(error));
    if (error == EACCES)
        buffer_printf(problems, " (for user %u)", (unsigned)geteuid());
    buffer_printf(problems, "\n");
    return BP_ERROR;
}

/* Makes the folder; its path without slashes at the end, and room for "/pid" behind it. */
static int prepare(bp_str folder, char path[PATH_MAX], size_t *ret_len, struct buffer *problems)
{
    int n = snprintf(path, PATH_MAX, "%" BP_STR_FMT, BP_STR_ARG(folder));
    if (n <= 0 || (size_t)n + sizeof("/pid") > PATH_MAX) {
        buffer_printf(problems, "the data folder's name is empty or too long\n");
        return BP_ERROR;
    }
    while (n > 1 && path[n - 1] == '/')
        path[--n] = '\0';
    if (make_folder(path) != 0)
        return say_failure("make the data folder", path, problems);
    *ret_len = (size_t)n;
    return 0;
}

int data_folder(bp_str folder, struct buffer *problems)
{
    char path[PATH_MAX];
    size_t len;

    return prepare(folder, path, &len, problems);
}

int data_lock(bp_str folder, int *ret_fd, struct buffer *problems)
{
    char path[PATH_MAX];
    size_t len;

    if (prepare(folder, path, &len, problems) != 0)
        return BP_ERROR;
    memcpy(path + len, "/pid", sizeof("/pid"));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return say_failure("open", path, problems);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            say_who(fd, folder, problems);
        else
            (void)say_failure("lock", path, problems);
        (void)close(fd);
        return BP_ERROR;
    }
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        (void)say_failure("write", path, problems);
        (void)close(fd);
        return BP_ERROR;
    }
    *ret_fd = fd;
    return 0;
}
