/* SPDX-License-Identifier: MIT */
#include "core/config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *read_all(int fd, size_t limit, size_t *ret_len, const char **ret_reason)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        *ret_reason = strerrordesc_np(errno);
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        *ret_reason = S_ISDIR(status.st_mode) ? "is a folder" : "not a regular file";
        return NULL;
    }
    char *text = malloc(limit + 2);
    if (!text) {
        *ret_reason = "out of memory";
        return NULL;
    }
    /* One byte more than allowed tells a file that is too large, whatever its size was a moment ago. */
    size_t len = 0;
    while (len <= limit) {
        ssize_t got = read(fd, text + len, limit + 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *ret_reason = strerrordesc_np(errno);
            free(text);
            return NULL;
        }
        if (got == 0)
            break;
        len += (size_t)got;
    }
    if (len > limit) {
        *ret_reason = "too large";
        free(text);
        return NULL;
    }
    text[len] = '\0';
    *ret_len = len;
    return text;
}

char *source_slurp(const char *file, size_t limit, size_t *ret_len, const char **ret_reason)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        *ret_reason = strerrordesc_np(errno);
        return NULL;
    }
    char *text = read_all(fd, limit, ret_len, ret_reason);
    close(fd);
    return text;
}
