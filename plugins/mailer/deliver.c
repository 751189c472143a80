/* SPDX-License-Identifier: MIT */
#include "deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backplane/status.h"

static int fail(struct delivery *delivery, const char *what, int error)
{
    (void)snprintf(delivery->why, sizeof(delivery->why), "%s: %s", what, strerror(error));
    return BP_ERROR;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return true;
}

/* Complete under another name first: who watches the folder sees whole messages. */
int deliver(void *argument)
{
    struct delivery *delivery = argument;
    char hidden[96], name[96];
    (void)snprintf(hidden, sizeof(hidden), ".%.80s", delivery->name);
    (void)snprintf(name, sizeof(name), "%.80s.eml", delivery->name);
    if (mkdir(delivery->folder, S_IRWXU) != 0 && errno != EEXIST)
        return fail(delivery, delivery->folder, errno);
    int folder = open(delivery->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return fail(delivery, delivery->folder, errno);
    int fd = openat(folder, hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    int error = fd < 0 || !write_all(fd, delivery->message, strlen(delivery->message)) ? errno : 0;
    if (fd >= 0 && close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && renameat(folder, hidden, folder, name) != 0)
        error = errno;
    if (error != 0 && fd >= 0)
        unlinkat(folder, hidden, 0);
    close(folder);
    return error != 0 ? fail(delivery, "the message could not be written", error) : 0;
}
